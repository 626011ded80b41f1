"""Values as files write them: Convex's lossless JSON, its older exports, plain JSON, CSV cells.

Plain JSON and CSV do not say whether `"5"` is a text or an int64; what the table declares decides,
and where it declares nothing a number is a float64 and a text a text.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import math
import re
import struct
from collections.abc import Callable, Iterable
from typing import Any, Final

import orjson

from headwater.core import values
from headwater.core.validators import (
    AnyValue,
    Array,
    Literal,
    Object,
    Record,
    String,
    Union,
    Validator,
)
from headwater.core.values import UNSET, Int64
from headwater.errors import InvalidValue

_INT64: Final = range(-(2**63), 2**63)
_INTEGER: Final = re.compile(r"[+-]?\d{1,19}")
_TEXTS: Final = {"string", "id"}
_FLOATS: Final = {"NaN", "Infinity", "-Infinity"}
Shapes = tuple[Validator, ...]


def lossless_out(value: Any) -> Any:
    """A value as Convex's exports write it: an int64 is a JSON integer, a float has a point."""
    kind = type(value)
    if kind is Int64:
        return int(value)
    if kind is float and math.isfinite(value):
        return value  # -0.0 too has a form in JSON
    if kind is list:
        return [lossless_out(item) for item in value]
    if kind is dict:
        return {key: lossless_out(member) for key, member in value.items()}
    return orjson.Fragment(values.encode(value)) if kind in (float, bytes) else value


def lossless_in(parsed: Any) -> Any:
    """The value of a line of Convex's exports.

    Raises:
        InvalidValue: it is none.
    """
    kind = type(parsed)
    if kind is int:
        return Int64(parsed) if parsed in _INT64 else float(parsed)
    if kind is list:
        return [lossless_in(item) for item in parsed]
    if kind is dict:
        if _is_tagged(parsed):
            return values.from_json(parsed)
        return {key: lossless_in(member) for key, member in parsed.items()}
    return parsed


def plain_in(parsed: Any, shapes: Shapes, context: Any = "infer") -> Any:
    """The value of plain JSON.

    Args:
        parsed: the JSON.
        shapes: what the place it is for may hold.
        context: what an older export of Convex says about it beside the data.

    Raises:
        InvalidValue: it is none.
    """
    kind = type(parsed)
    if kind is dict:
        if _is_tagged(parsed):
            return values.from_json(parsed)
        named = context if isinstance(context, dict) else {}
        return {k: plain_in(v, _member(shapes, k), named.get(k)) for k, v in parsed.items()}
    if kind is list:
        items = _flat(s.item for s in shapes if isinstance(s, Array))
        placed = context if isinstance(context, list) else []
        pairs = itertools.zip_longest(parsed, placed[: len(parsed)])
        return [plain_in(item, items, its_own) for item, its_own in pairs]
    if kind is str:
        return _text(parsed, shapes, context)
    if kind is int:
        wanted = _kinds(shapes) == {"int64"} and parsed in _INT64
        return Int64(parsed) if wanted else float(parsed)
    return parsed


def cell_in(text: str, shapes: Shapes, *, optional: bool) -> Any:
    """The value of a CSV cell; UNSET for an empty one where the field may be absent."""
    kinds = _kinds(shapes)
    if text == "" and not any(_is_text(shape) for shape in shapes):
        return None if _may_be_null(shapes) and not optional else UNSET
    if "number" in kinds or "any" in kinds:
        try:
            return float(text)
        except ValueError:
            pass
    if "boolean" in kinds and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kinds & {"array", "object", "record"} and text[:1] in ("[", "{"):
        return plain_in(parsed(text.encode()), shapes)
    return _text(text, shapes, "infer")


def shapes_of(validator: Validator) -> Shapes:
    """The shapes a place may hold, unions taken apart."""
    return _flat([validator])


def parsed(line: bytes) -> Any:
    """A JSON text.

    Raises:
        InvalidValue: it is none.
    """
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidValue(f"not JSON: {error}") from None


def _is_tagged(members: dict[str, Any]) -> bool:
    return len(members) == 1 and next(iter(members)).startswith("$")


def _text(text: str, shapes: Shapes, context: Any) -> Any:
    if context not in (None, "infer"):
        return _by_context(text, context)
    kinds = _kinds(shapes)
    if kinds & (_TEXTS | {"any"}) or text in (s.value for s in shapes if isinstance(s, Literal)):
        return text
    if "int64" in kinds and _INTEGER.fullmatch(text) and int(text) in _INT64:
        return Int64(int(text))
    if "number" in kinds and text in _FLOATS:
        return float(text)
    return _from_base64(text) if "bytes" in kinds else text


def _by_context(text: str, context: Any) -> Any:
    readers: dict[str, Callable[[str], Any]] = {
        "int64": lambda text: Int64(int(text)),
        "float64inf": float,
        "bytes": _from_base64,
    }
    if isinstance(context, dict) and "$float64NaN" in context:
        (number,) = struct.unpack("<d", _from_base64(str(context["$float64NaN"])))
        return number
    reader = readers.get(context) if isinstance(context, str) else None
    if reader is None:
        raise InvalidValue(f"generated_schema.jsonl says {context!r} of a text; nobody writes that")
    try:
        return reader(text)
    except ValueError:
        raise InvalidValue(f"{text[:40]!r} is not the {context} it is said to be") from None


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InvalidValue(f"{text[:40]!r} is not base64, as bytes are written") from None


def _kinds(shapes: Shapes) -> set[str]:
    return {_kind_of(shape) for shape in shapes} - {"null"} or {s.kind for s in shapes}


def _kind_of(shape: Validator) -> str:
    if not isinstance(shape, Literal):
        return shape.kind
    if isinstance(shape.value, str):
        return "string"
    if isinstance(shape.value, bool):
        return "boolean"
    return "int64" if isinstance(shape.value, Int64) else "number"


def _is_text(shape: Validator) -> bool:
    """True where an empty cell is an empty text."""
    return isinstance(shape, String | AnyValue) or shape == Literal("")


def _may_be_null(shapes: Shapes) -> bool:
    return any(shape.kind == "null" for shape in shapes)


def _member(shapes: Shapes, name: str) -> Shapes:
    found: list[Validator] = []
    for shape in shapes:
        if isinstance(shape, Object) and name in shape.fields:
            found.append(shape.fields[name].validator)
        elif isinstance(shape, Record):
            found.append(shape.values)
    return _flat(found)


def _flat(shapes: Iterable[Validator]) -> Shapes:
    found: list[Validator] = []
    for shape in shapes:
        found += _flat(shape.members) if isinstance(shape, Union) else [shape]
    return tuple(found) or (AnyValue(),)
