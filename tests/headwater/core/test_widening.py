"""Shapes that need no check, because they only got wider."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

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
)
from headwater.core.values import Int64
from headwater.core.widening import widens

TASK = {"title": Field(String()), "rank": Field(Number(), True)}
SHAPES: list[Validator] = [
    AnyValue(),
    Null(),
    Boolean(),
    Number(),
    Number(True),
    Number(bounds=Bounds(ge=0, le=10)),
    Number(bounds=Bounds(gt=1, multiple_of=2)),
    Int64Validator(),
    String(),
    String(Bounds(le=3)),
    String(pattern="^a"),
    Bytes(),
    Bytes(Bounds(ge=1)),
    IdOf(),
    IdOf("tasks"),
    Literal("a"),
    Literal(2.0),
    Union((Literal("a"), Literal("abcd"))),
    Union((Null(), String())),
    Union((Null(), Number(True), Literal("a"))),
    Array(String()),
    Array(Number(), Bounds(le=1)),
    Record(String(), Number()),
    Object(TASK),
    Object({**TASK, "done": Field(Boolean(), True)}),
    Object({"title": Field(String())}),
    Object({"title": Field(Union((Null(), String()))), "rank": Field(Number())}),
]
VALUES: list[Any] = [
    *(None, True, 0.0, 2.0, 2.5, 4.0, 11.0, Int64(2), "", "a", "abcd", "an id", b"", b"x"),
    *([], ["a"], [1.0], [1.0, 2.0], {}, {"a": 1.0}, {"title": "a"}, {"title": None, "rank": 1.0}),
    *({"title": "a", "rank": 2.0}, {"title": "a", "rank": 2.0, "done": True}),
]


def table_of(text: str) -> str | None:
    """One text is an id."""
    return "tasks" if text == "an id" else None


def test_what_fits_before_fits_after_when_a_shape_is_wider() -> None:
    """For every pair of shapes and every value at hand: never is a check left out wrongly."""
    wider = 0
    for old, new in itertools.product(SHAPES, SHAPES):
        if widens(old, new):
            wider += 1
            fitting = [v for v in VALUES if old.check(v, table_of) is None]
            assert all(new.check(value, table_of) is None for value in fitting), (old, new)
    assert wider > len(SHAPES) + 20


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (Object(TASK), Object({**TASK, "done": Field(Boolean(), True)})),
        (Object(TASK), Object({**TASK, "title": Field(Union((Null(), String())))})),
        (Object(TASK), Object({**TASK, "title": Field(String(), True)})),
        (Union((Literal("a"), Literal("b"))), Union((Literal("b"), Literal("c"), Literal("a")))),
        (String(Bounds(le=3)), String(Bounds(le=5))),
        (Number(True, Bounds(ge=1)), Number(bounds=Bounds(ge=0))),
        (IdOf("tasks"), String()),
        (Array(Literal("a")), Array(String())),
    ],
)
def test_additions_are_known_to_be_wider(old: Validator, new: Validator) -> None:
    """An optional field, a further literal, a weaker bound: no document is looked at for these."""
    assert widens(old, new)
    assert not widens(new, old)
