"""What a validator is in JSON Schema: how tools are told of arguments and documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.core import validators
from headwater.core.validators import (
    Array,
    Bounds,
    Bytes,
    IdOf,
    Int64Validator,
    Literal,
    Number,
    Object,
    Record,
    String,
    Union,
    Validator,
)
from headwater.core.values import Int64

Schema = dict[str, Any]

_BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}


def json_schema(validator: Validator) -> Schema:
    """The JSON Schema of a validator: values in the `json` format, so int64 and bytes are texts."""
    writer = _WRITERS.get(type(validator))
    return {} if writer is None else writer(validator)


def _number(number: Number) -> Schema:
    given = number.bounds.to_json()
    return {"type": "integer" if number.integer else "number"} | {
        _BOUNDS[name]: value for name, value in given.items()
    }


def _int64(_validator: Int64Validator) -> Schema:
    return {"type": "string", "pattern": "^-?[0-9]+$", "description": "a 64-bit integer"}


def _string(string: String) -> Schema:
    pattern = {"pattern": string.pattern} if string.pattern is not None else {}
    return {"type": "string"} | pattern | _lengths(string.length, "Length")


def _bytes(_validator: Bytes) -> Schema:
    return {"type": "string", "contentEncoding": "base64"}


def _id(reference: IdOf) -> Schema:
    return {"type": "string", "description": reference.words()}


def _literal(literal: Literal) -> Schema:
    value = literal.value
    return {"const": str(int(value)) if isinstance(value, Int64) else value}


def _array(array: Array) -> Schema:
    items = {"type": "array", "items": json_schema(array.item)}
    return items | _lengths(array.length, "Items")


def _record(record: Record) -> Schema:
    return {"type": "object", "additionalProperties": json_schema(record.values)}


def _object(shape: Object) -> Schema:
    required = [name for name, field in shape.fields.items() if not field.optional]
    members = {name: json_schema(field.validator) for name, field in shape.fields.items()}
    needed = {"required": required} if required else {}
    return {"type": "object", "properties": members, **needed, "additionalProperties": False}


def _union(union: Union) -> Schema:
    if union.members and all(isinstance(member, Literal) for member in union.members):
        return {"enum": [_literal(member)["const"] for member in union.members]}  # type: ignore[arg-type]
    return {"anyOf": [json_schema(member) for member in union.members]}


def _lengths(bounds: Bounds, what: str) -> Schema:
    """Bounds on a length: it is whole, so that the exclusive ones can be said too."""
    least = [] if bounds.ge is None else [int(bounds.ge)]
    least += [] if bounds.gt is None else [int(bounds.gt) + 1]
    most = [] if bounds.le is None else [int(bounds.le)]
    most += [] if bounds.lt is None else [int(bounds.lt) - 1]
    low = {f"min{what}": max(least)} if least else {}
    return {**low, **({f"max{what}": min(most)} if most else {})}


_WRITERS: dict[type[Validator], Callable[[Any], Schema]] = {
    validators.Null: lambda _validator: {"type": "null"},
    validators.Boolean: lambda _validator: {"type": "boolean"},
    Number: _number,
    Int64Validator: _int64,
    String: _string,
    Bytes: _bytes,
    IdOf: _id,
    Literal: _literal,
    Array: _array,
    Record: _record,
    Object: _object,
    Union: _union,
}
