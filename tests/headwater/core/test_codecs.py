"""Codecs: from annotations to validators, from values to the types the annotations promise."""

from __future__ import annotations

import enum
from typing import Annotated, Any, Literal, NewType

import pytest
from pydantic import Field, StringConstraints, ValidationError, field_validator

from headwater import Document, Id, Int64, Model
from headwater.core import validators
from headwater.core.codecs import Codecs, lower, members_of, without_none
from headwater.errors import InvalidValue, RegistrationError


class Color(enum.Enum):
    """Two colours."""

    RED = "red"
    BLUE = "blue"


class Part(Model):
    """A nested object that may hold others of its kind."""

    part_name: str
    count: int = 1
    parts: list[Part] = []
    note: str | None = None

    @field_validator("part_name")
    @classmethod
    def _not_shouted(cls, name: str) -> str:
        if name.isupper():
            raise ValueError("do not shout")
        return name


class Task(Document, table="tasks"):
    """A table."""

    title: str


UserName = NewType("UserName", str)
CODECS = Codecs({"Task": Task})


@pytest.mark.parametrize(
    ("annotation", "value", "python"),
    [
        (int, 3.0, 3),
        (float, 3.0, 3.0),
        (Int64, Int64(3), Int64(3)),
        (Color, "red", Color.RED),
        (list[int], [1.0], [1]),
        (dict[str, int], {"a": 1.0}, {"a": 1}),
        (int | None, None, None),
        (int | None, 1.0, 1),
        (int | str, 1.0, 1),
        (Literal[1, "a"], 1.0, 1),
        (Literal[Color.RED], "red", Color.RED),
        (UserName, "ana", "ana"),
        (Annotated[int, Field(ge=1)], 1.0, 1),
        (Any, Int64(1), Int64(1)),
        (Part, {"partName": "a", "count": 2.0}, Part(part_name="a", count=2)),
        (list[Part | int], [1.0, {"partName": "a"}], [1, Part(part_name="a")]),
    ],
)
def test_values_get_the_type_their_annotation_promises(
    annotation: Any, value: Any, python: Any
) -> None:
    """A value that fits is restored in type and content, and lowered again."""
    codec = CODECS.of(annotation, "here")
    assert codec.validator.check(value, lambda _text: None) is None
    restored = codec.load(value)
    assert restored == python
    assert type(restored) is type(python)
    assert codec.validator.check(lower(restored), lambda _text: None) is None


@pytest.mark.parametrize(
    "annotation", [set[str], tuple[int, ...], object, complex, dict[int, str], Literal[b"x"]]
)
def test_what_cannot_be_sent_is_refused_at_registration(annotation: Any) -> None:
    """The error says where, and what may stand there instead."""
    with pytest.raises(RegistrationError, match=r"backend\.tasks\.create, argument title"):
        CODECS.of(annotation, "backend.tasks.create, argument title")


@pytest.mark.parametrize(
    ("annotation", "validator"),
    [
        (Annotated[str, Field(max_length=3)], validators.String(validators.Bounds(le=3))),
        (Annotated[str, Field(pattern="^a")], validators.String(pattern="^a")),
        (
            Annotated[float, Field(gt=0, le=1)],
            validators.Number(False, validators.Bounds(gt=0, le=1)),
        ),
        (
            Annotated[list[str], Field(min_length=1)],
            validators.Array(validators.String(), validators.Bounds(ge=1)),
        ),
        (Annotated[str, "a note for readers"], validators.String()),
    ],
)
def test_constraints_are_plain_data(annotation: Any, validator: Any) -> None:
    """What pydantic can say of a size or a length is checked at the edge, without user code."""
    assert CODECS.of(annotation, "here").validator == validator


def test_a_text_that_is_stripped_is_held_to_its_length_afterwards() -> None:
    """Blanks are long enough as they come, and nothing is left of them."""
    codec = CODECS.of(Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)], "")
    assert codec.load(" a ") == "a"
    with pytest.raises(ValidationError):
        codec.load("  ")


def test_custom_validators_run_where_the_function_runs() -> None:
    """Plain data cannot say them: the value fits, restoring it refuses."""
    codec = CODECS.of(Part, "here")
    shouted = {"partName": "LOUD"}
    assert codec.validator.check(shouted, lambda _text: None) is None
    with pytest.raises(ValidationError, match="do not shout"):
        codec.load(shouted)


def test_an_id_is_of_its_table() -> None:
    """By class, by name, or of any table; other names are refused with those there are."""
    assert CODECS.of(Id[Task], "here").validator == validators.IdOf("tasks")
    assert CODECS.of(Id["Task"], "here").validator == validators.IdOf("tasks")
    assert CODECS.of(Id[Any], "here").validator == validators.IdOf(None)
    with pytest.raises(RegistrationError, match=r"Id\[Tusk\] names no table; tables here: Task"):
        CODECS.of(Id["Tusk"], "here")  # type: ignore[name-defined]


def test_a_model_derives_from_ours() -> None:
    """A plain pydantic model has neither wire names nor strictness."""
    from pydantic import BaseModel

    with pytest.raises(RegistrationError, match=r"must derive from headwater\.Model"):
        CODECS.of(type("Loose", (BaseModel,), {}), "here")


def test_absent_members_get_their_default() -> None:
    """A fresh one each time: changing it changes no other object."""
    _, members = CODECS.fields(Part)
    first, second = (members_of(members, {"partName": "a"}) for _ in range(2))
    first["parts"].append("mine")
    assert second == {"part_name": "a", "count": 1, "parts": [], "note": None}


def test_lowering_leaves_out_what_is_absent() -> None:
    """Optional fields that are None are not sent; enums are their values."""
    part = Part(part_name="a", parts=[Part(part_name="b")])
    inner = {"partName": "b", "count": 1.0, "parts": []}
    assert lower([part, Color.RED]) == [{"partName": "a", "count": 1.0, "parts": [inner]}, "red"]


def test_lowering_names_the_place_of_what_cannot_be_sent() -> None:
    """The path leads into the returned value."""
    with pytest.raises(InvalidValue, match=r"set at \[0\]\.a"):
        lower([{"a": {1}}])


def test_optional_is_the_type_without_none() -> None:
    """`X | None` without None; another type stays."""
    assert without_none(int | None) is int
    assert without_none(str) is str
