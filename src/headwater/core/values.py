"""What may be stored or sent, its JSON encoding, its size.

A *value* is None, bool, float, Int64, str, bytes, a list of values or a dict with str keys. The
encoding is Convex's: float64 is a JSON number, int64 `{"$integer": ...}`, bytes `{"$bytes": ...}`,
and the floats JSON has no number for `{"$float": ...}` (each the base64 of its little-endian
bytes).
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from headwater.errors import InvalidValue
from headwater.settings import Limits

SAFE_INTEGER: Final = 2**53
_LIMITS: Final = Limits()
_DEPTH: Final = _LIMITS.value_depth
_KEYS_KEPT: Final = 10_000
_good_keys: set[Any] = set()  # keys already found right: the same few come again and again


class Int64(int):
    """A 64-bit integer on the wire (`$integer`, a BigInt in JavaScript); plain `int` is a number.

    Raises:
        InvalidValue: outside -2**63 .. 2**63-1.
    """

    def __new__(cls, value: int = 0) -> Int64:
        number = super().__new__(cls, value)
        if not -(2**63) <= number < 2**63:
            raise InvalidValue(f"{int(number)} does not fit 64 bits (-2**63 to 2**63-1)")
        return number

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(cls._validated)

    @classmethod
    def _validated(cls, value: Any) -> Int64:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"expected Int64, got {type(value).__name__}")
        return cls(value)


class _Unset:
    """The type of UNSET."""

    _instance: _Unset | None = None

    def __new__(cls) -> _Unset:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = _Unset()
"""Absent, where a dict needs to say so: `patch(id, priority=UNSET)` removes the field."""


class Encoded:
    """A value that is already JSON, joined into results as bytes. `table` names a stored
    document's.
    """

    __slots__ = ("body", "table")

    def __init__(self, body: bytes, table: str | None = None) -> None:
        self.body = body
        self.table = table


def _all_encoded(items: Any) -> bool:
    """True for a list of documents as they were read, the most common result of a query."""
    return all(isinstance(item, Encoded) for item in items)


def type_name(value: Any) -> str:
    """The word for a value's type in messages."""
    names: dict[type, str] = {type(None): "null", bool: "boolean", float: "number", int: "number"}
    names |= {Int64: "int64", str: "string", bytes: "bytes", list: "array", dict: "object"}
    return names.get(type(value), type(value).__name__)


def normalize(value: Any, path: str = "", depth: int = _DEPTH) -> Any:
    """A Python value as a value: int becomes float, tuple a list, UNSET members are dropped.

    Raises:
        InvalidValue: names the path inside the value, what stands there and what to do.
    """
    kind = type(value)
    if value is None or kind in (bool, float, Int64, bytes) or isinstance(value, Encoded):
        return value
    if kind is str:
        return _checked_text(value, path)
    if depth == 0:
        raise InvalidValue(f"{path or 'the value'} is nested deeper than {_DEPTH} levels")
    if kind is dict:
        return _normalize_object(value, path, depth)
    if kind in (list, tuple):
        _check_length(value, path)
        if _all_encoded(value):
            return list(value)
        return [normalize(item, f"{path}[{i}]", depth - 1) for i, item in enumerate(value)]
    return _normalize_subclass(value, path)


def _normalize_object(value: dict[Any, Any], path: str, depth: int) -> dict[str, Any]:
    _check_fields(value, path)
    result = {}
    for key, member in value.items():
        if member is UNSET:
            continue
        if key not in _good_keys:
            check_key(key, path)
        result[str(key)] = normalize(member, f"{path}.{key}" if path else str(key), depth - 1)
    return result


def _normalize_subclass(value: Any, path: str) -> Any:
    if isinstance(value, bool | Int64):
        return value
    if isinstance(value, int):
        if abs(value) > SAFE_INTEGER:
            raise InvalidValue(
                f"{path or 'the value'} is {value}, beyond ±2**53 where numbers lose digits; "
                "use Int64"
            )
        return float(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, str):
        return _checked_text(str.__str__(value), path)
    where = f" at {path}" if path else ""
    raise InvalidValue(
        f"{type(value).__name__}{where} is not a value that can be stored or sent; use None, bool, "
        "int, float, Int64, str, bytes, list, dict, a Model or a Document"
    )


def check_key(key: Any, path: str) -> None:
    """Refuses keys an object may not have: no str, empty, starting with `$`, not printable ASCII.

    Raises:
        InvalidValue: names the key and the path of the object.
    """
    ok = isinstance(key, str) and key and key[0] != "$" and len(key) <= _LIMITS.key_length
    if not ok or not (key.isascii() and key.isprintable()):
        raise InvalidValue(
            f"object key {str(key)[:80]!r}{f' at {path}' if path else ''}: keys are printable "
            f"ASCII, not empty, at most {_LIMITS.key_length} long, and do not start with `$`"
        )
    if len(_good_keys) < _KEYS_KEPT:
        _good_keys.add(key)


def _check_length(items: Sequence[Any], path: str) -> None:
    if len(items) > _LIMITS.array_length:
        raise InvalidValue(
            f"{path or 'the value'} is an array of {len(items)} elements, the limit is "
            f"{_LIMITS.array_length}; .take(n) or .paginate() keep a result short"
        )


def _check_fields(members: dict[Any, Any], path: str) -> None:
    if len(members) > _LIMITS.object_fields:
        raise InvalidValue(
            f"{path or 'the value'} is an object of {len(members)} fields, the limit is "
            f"{_LIMITS.object_fields}; an array or documents of their own hold more"
        )


def _checked_text(text: str, path: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        where = f" at {path}" if path else ""
        raise InvalidValue(f"the string{where} holds a lone surrogate; it is no Unicode") from None
    return text


def _special(value: float) -> bool:
    return not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0)


def _plain(value: Any) -> bool:
    """True when orjson writes the value just as the encoding wants it."""
    kind = type(value)
    if kind is float:
        return not _special(value)
    if kind is list:
        return all(map(_plain, value))
    if kind is dict:
        return all(map(_plain, value.values()))
    return kind is not Int64 and kind is not bytes


def _tagged(tag: str, raw: bytes) -> dict[str, str]:
    return {tag: base64.b64encode(raw).decode()}


def _export(value: Any) -> Any:
    """A value with `$`-objects in place of what JSON lacks."""
    kind = type(value)
    if kind is float:
        return _tagged("$float", struct.pack("<d", value)) if _special(value) else value
    if kind is Int64:
        return _tagged("$integer", value.to_bytes(8, "little", signed=True))
    if kind is bytes:
        return _tagged("$bytes", value)
    if kind is list:
        return [_export(item) for item in value]
    if kind is dict:
        return {key: _export(member) for key, member in value.items()}
    return value


def _join(value: Any) -> Any:
    if isinstance(value, Encoded):
        return orjson.Fragment(value.body)
    raise TypeError(type(value).__name__)


def encode(value: Any) -> bytes:
    """The JSON encoding of a normalized value; `Encoded` members are joined as they are."""
    if type(value) is list and _all_encoded(value):
        return b"[" + b",".join([item.body for item in value]) + b"]"
    exported = value if _plain(value) else _export(value)
    return orjson.dumps(exported, default=_join, option=orjson.OPT_SORT_KEYS)


def clean(value: Any) -> Any:
    """A value in the `json` format of the HTTP API: int64 and bytes as strings, NaN as "NaN"."""
    kind = type(value)
    if kind is float and not math.isfinite(value):
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), "NaN")
    if kind is Int64:
        return str(int(value))
    if kind is bytes:
        return base64.b64encode(value).decode()
    if kind is list:
        return [clean(item) for item in value]
    if kind is dict:
        return {key: clean(member) for key, member in value.items()}
    return value


def decode(body: bytes | str) -> Any:
    """The value of a JSON text in Convex's encoding.

    Raises:
        InvalidValue: the text is not JSON, or no value.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidValue(f"not JSON: {error}") from None
    return from_json(parsed)


def from_json(parsed: Any, path: str = "", depth: int = _DEPTH) -> Any:
    """The value of parsed JSON: every number a float, `$`-objects decoded.

    Raises:
        InvalidValue: names the path of what is no value.
    """
    kind = type(parsed)
    if kind is int:
        return float(parsed)
    if parsed is None or kind in (str, bool, float):
        return parsed
    if depth == 0:
        raise InvalidValue(f"{path or 'the value'} is nested deeper than {_DEPTH} levels")
    if kind is list:
        _check_length(parsed, path)
        return [from_json(item, f"{path}[{i}]", depth - 1) for i, item in enumerate(parsed)]
    if len(parsed) == 1 and next(iter(parsed)).startswith("$"):
        tag, text = next(iter(parsed.items()))
        return _untag(tag, text, path)
    _check_fields(parsed, path)
    result = {}
    for key, member in parsed.items():
        if key not in _good_keys:
            check_key(key, path)
        result[key] = from_json(member, f"{path}.{key}" if path else key, depth - 1)
    return result


def _untag(tag: str, text: Any, path: str) -> Any:
    readers: dict[str, Callable[[bytes], Any]] = {
        "$bytes": bytes,
        "$integer": _read_integer,
        "$float": _read_float,
    }
    where = f" at {path}" if path else ""
    if tag not in readers or not isinstance(text, str):
        raise InvalidValue(f"unknown or malformed {tag!r}{where}; known: {', '.join(readers)}")
    try:
        return readers[tag](base64.b64decode(text, validate=True))
    except (binascii.Error, struct.error, ValueError) as error:
        raise InvalidValue(f"malformed {tag}{where}: {error}") from None


def _read_integer(raw: bytes) -> Int64:
    if len(raw) != 8:
        raise ValueError(f"{len(raw)} bytes, expected 8")
    return Int64(int.from_bytes(raw, "little", signed=True))


def _read_float(raw: bytes) -> float:
    (number,) = struct.unpack("<d", raw)
    if not _special(number):
        raise ValueError("an ordinary number is sent as a JSON number")
    return float(number)


def is_deeper(value: Any, levels: int) -> bool:
    """True when arrays and objects are nested deeper than so many levels."""
    kind = type(value)
    if kind is not dict and kind is not list:
        return False
    members = value.values() if kind is dict else value
    return levels == 0 or any(is_deeper(member, levels - 1) for member in members)


_CONTAINERS = (dict, list)


def own_copy(value: Any) -> Any:
    """A value whose arrays and objects nobody else holds: a handler may change what it is given."""
    kind = type(value)
    if kind is dict:
        return {
            key: own_copy(member) if type(member) in _CONTAINERS else member
            for key, member in value.items()
        }
    return [own_copy(item) for item in value] if kind is list else value


def size(value: Any) -> int:
    """Bytes of a value by Convex's rule (wire.md 3.1): what limits count."""
    kind = type(value)
    if value is None or kind is bool:
        return 1
    if kind is float or kind is Int64:
        return 9
    if kind is str:
        return 2 + len(value.encode())
    if kind is bytes:
        return 2 + len(value)
    if kind is list:
        return 2 + sum(map(size, value))
    if isinstance(value, Encoded):
        return len(value.body)
    return 2 + sum(len(key) + 1 + size(member) for key, member in value.items())
