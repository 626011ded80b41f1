"""Validators: plain data that says whether a value fits, and if not, where and why."""

from __future__ import annotations

import math
from typing import Any

import pytest

from headwater import Int64
from headwater.core.validators import (
    AnyValue,
    Array,
    Boolean,
    Bounds,
    Bytes,
    Field,
    IdOf,
    Int64Validator,
    Literal,
    Null,
    Number,
    Object,
    Record,
    String,
    Union,
    Validator,
    from_json,
)
from headwater.core.values import Encoded

TABLES = {"task1": "tasks", "user1": "users"}.get

FITS: list[tuple[Validator, list[Any], list[Any]]] = [
    (AnyValue(), [None, 1.0, {}], []),
    (Null(), [None], [False, {}]),
    (Boolean(), [True, False], [1.0, None]),
    (Number(), [1.5, math.nan], [True, Int64(1), "1"]),
    (Number(integer=True), [1.0, -(2.0**53)], [1.5, 2.0**54, math.inf]),
    (Number(bounds=Bounds(ge=0, lt=10)), [0.0, 9.9], [-1.0, 10.0, math.nan]),
    (Number(bounds=Bounds(gt=0, le=10)), [0.1, 10.0], [0.0, 11.0]),
    (Number(bounds=Bounds(multiple_of=3)), [0.0, 9.0], [1.0, math.inf]),
    (Int64Validator(Bounds(ge=1)), [Int64(1)], [Int64(0), 1.0]),
    (String(), ["", "é"], [b"", None]),
    (String(Bounds(ge=1, le=2)), ["a", "éé"], ["", "abc"]),
    (String(pattern="^a+$"), ["aa"], ["ab", ""]),
    (Bytes(Bounds(le=1)), [b""], [b"ab", "a"]),
    (IdOf("tasks"), ["task1"], ["user1", "nothing", 1.0]),
    (IdOf(None), ["task1", "user1"], ["nothing"]),
    (Literal("low"), ["low"], ["high", None]),
    (Literal(1.0), [1.0], [True, Int64(1)]),
    (Literal(Int64(1)), [Int64(1)], [1.0]),
    (Array(String()), [[], ["a"]], ["a", [1.0], {}]),
    (Array(AnyValue(), Bounds(le=1)), [[1.0]], [[1.0, 2.0]]),
    (Record(String(), Number()), [{}, {"a": 1.0}], [{"a": "b"}, []]),
    (Object({"a": Field(Number())}), [{"a": 1.0}], [{}, {"a": 1.0, "b": 1.0}, [], {"a": None}]),
    (Object({"a": Field(Number(), True)}), [{}, {"a": 1.0}], [{"a": None}]),
    (Union((Number(), Null())), [1.0, None], ["a"]),
]


@pytest.mark.parametrize(("validator", "right", "wrong"), FITS)
def test_values_fit_or_do_not(validator: Validator, right: list[Any], wrong: list[Any]) -> None:
    """Every kind accepts what it names and nothing else."""
    assert [value for value in right if validator.check(value, TABLES)] == []
    assert [value for value in wrong if not validator.check(value, TABLES)] == []


@pytest.mark.parametrize("validator", [one for one, _, _ in FITS])
def test_a_validator_is_the_same_after_a_journey(validator: Validator) -> None:
    """As plain data it goes to a file or another process and comes back."""
    assert from_json(validator.to_json()) == validator


def test_an_unknown_type_is_refused() -> None:
    """A manifest from a stranger does not slip through."""
    with pytest.raises(ValueError, match="unknown validator type 'magic'"):
        from_json({"type": "magic"})


@pytest.mark.parametrize(
    ("validator", "value", "message"),
    [
        (Number(), "1", "Value does not match validator. Expected number, got string: '1'"),
        (Number(), None, "Value does not match validator. Expected number, got null"),
        (Object({"a": Field(Number())}), {}, "Object is missing the required field `a`"),
        (Object(), {"x": 1.0}, "Object contains extra field `x` that is not in the validator"),
        (IdOf("tasks"), "user1", "Found ID 'user1' from table `users`"),
        (Union((Literal("a"), Literal("b"))), "c", "Expected 'a' or 'b', got string: 'c'"),
    ],
)
def test_the_reason_is_in_words_clients_know(
    validator: Validator, value: Any, message: str
) -> None:
    """The texts are those that Convex's clients look for."""
    assert message in str(validator.check(value, TABLES))


def test_the_path_leads_to_the_misfit() -> None:
    """Through objects and arrays, below the reason."""
    shape = Object({"people": Field(Array(Object({"name": Field(String())})))})
    misfit = shape.check({"people": [{"name": "a"}, {"name": 1.0}]}, TABLES)
    assert str(misfit).endswith("\nPath: .people[1].name")


def test_a_union_with_null_tells_of_its_real_shape() -> None:
    """`X | None` speaks of X's misfit, not of the union."""
    misfit = Union((Number(bounds=Bounds(ge=0)), Null())).check(-1.0, TABLES)
    assert str(misfit) == "Number -1 must be at least 0"


def test_a_long_value_is_shown_in_part() -> None:
    """A message does not carry a megabyte."""
    assert len(str(Number().check("x" * 1000, TABLES))) < 200


def test_a_stored_document_is_not_checked_again() -> None:
    """It was checked when it was written; one of another table is."""
    shape = Object({"a": Field(Number())}, "tasks")
    assert shape.check(Encoded(b'{"b":1}', "tasks"), TABLES) is None
    assert shape.check(Encoded(b'{"b":1}', "users"), TABLES) is not None
    assert shape.check(Encoded(b'{"a":1}', "users"), TABLES) is None
