"""What a validator is in JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from headwater import Int64, Model
from headwater.core.codecs import Codecs
from headwater.json_schema import json_schema


class Line(Model):
    """One of each kind."""

    title: Annotated[str, Field(max_length=20)]
    state: Literal["open", "done"]
    large: Int64
    tags: Annotated[list[str], Field(min_length=1)]
    share: Annotated[float, Field(ge=0, lt=1)]
    note: str | None = None


def schema_of(annotation: Any) -> dict[str, Any]:
    """The schema of a type as a function would have it."""
    return json_schema(Codecs().of(annotation, "it").validator)


def test_an_object_says_what_it_needs() -> None:
    """Optional fields are not required; others are; no further ones are taken."""
    schema = schema_of(Line)
    assert schema["required"] == ["title", "state", "large", "tags", "share"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["title"] == {"type": "string", "maxLength": 20}
    assert schema["properties"]["state"] == {"enum": ["open", "done"]}
    assert schema["properties"]["tags"]["minItems"] == 1
    assert schema["properties"]["share"] == {
        "type": "number",
        "minimum": 0,
        "exclusiveMaximum": 1,
    }
    assert schema["properties"]["large"]["type"] == "string"


def test_what_may_be_anything_says_nothing() -> None:
    """`Any` is the empty schema; a nullable value has null beside it; a dict names its values."""
    assert schema_of(Any) == {}
    assert {"type": "null"} in schema_of(int | None)["anyOf"]
    assert schema_of(dict[str, bool])["additionalProperties"] == {"type": "boolean"}
