"""Order-preserving keys: comparing two keys as bytes compares the values they were made from.

The order is Convex's: undefined < null < int64 < float64 < bool < string < bytes < array < object.
Every encoded value is prefix-free, so the key of a range of fields is the concatenation of theirs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

from headwater.core.values import UNSET, Int64

_END: Final = b"\x00"
_UNDEFINED, _NULL, _INT64, _FLOAT64 = b"\x01", b"\x02", b"\x03", b"\x04"
_FALSE, _TRUE, _STRING, _BYTES, _ARRAY, _OBJECT = (
    b"\x05",
    b"\x06",
    b"\x07",
    b"\x08",
    b"\x09",
    b"\x0a",
)
_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1


def encode_key(value: Any) -> bytes:
    """The key of one normalized value, or of UNSET."""
    kind: type = type(value)
    if kind is str:
        return _STRING + _escape(value.encode())
    if kind is float:
        return _FLOAT64 + _float_bits(value)
    if kind is bool:
        return _TRUE if value else _FALSE
    if value is None:
        return _NULL
    if value is UNSET:
        return _UNDEFINED
    if kind is Int64:
        return _INT64 + int(value + _SIGN).to_bytes(8, "big")
    if kind is bytes:
        return _BYTES + _escape(value)
    if kind is list:
        return _ARRAY + b"".join(map(encode_key, value)) + _END
    members = (_STRING + _escape(k.encode()) + encode_key(v) for k, v in sorted(value.items()))
    return _OBJECT + b"".join(members) + _END


def encode_keys(values: Iterable[Any]) -> bytes:
    """The key of several fields in order."""
    return b"".join(map(encode_key, values))


def _escape(raw: bytes) -> bytes:
    # 00 ends a text; a 00 inside becomes 00 FF, which sorts after the end and before any other
    # byte.
    return (raw.replace(b"\x00", b"\x00\xff") if b"\x00" in raw else raw) + b"\x00\x00"


def _float_bits(value: float) -> bytes:
    (bits,) = struct.unpack(">Q", struct.pack(">d", value))
    # IEEE 754 total order: flip all bits of negatives, the sign bit of the others.
    return int(bits ^ _ALL if bits & _SIGN else bits | _SIGN).to_bytes(8, "big")


def successor(key: bytes) -> bytes:
    """The smallest key after every key that starts with `key`."""
    stripped = key.rstrip(b"\xff")
    if not stripped:
        raise ValueError("no key follows an all-ones prefix")
    return stripped[:-1] + bytes([stripped[-1] + 1])


PREFIX: Final = 5
"""Bytes of an index's prefix, with which each of its keys begins."""

POSTING: Final = b"s"
"""What the keys of search indexes begin with, and no others."""


def index_prefix(number: int) -> bytes:
    """What every entry of index `number` starts with."""
    return b"i" + number.to_bytes(4, "big")


def search_prefix(number: int) -> bytes:
    """What every posting of search index `number` starts with, as long as an index's prefix."""
    return POSTING + number.to_bytes(4, "big")


DOCUMENTS: Final = b"d"
"""What the key of every document begins with."""


def document_key(document_id: str) -> bytes:
    """The place of a document in the key space of read sets, and of storages."""
    return DOCUMENTS + document_id.encode()


def entry_key(number: int, fields: Sequence[str], document: dict[str, Any]) -> bytes:
    """The key of a document's entry in an index: its fields, then creation time, then id."""
    values = [encode_key(field_value(document, path)) for path in fields]
    document_id: str = document["_id"]
    tail = encode_key(document["_creationTime"]) + document_id.encode()
    return index_prefix(number) + b"".join(values) + tail


def field_value(document: dict[str, Any], path: str) -> Any:
    """The value at a dotted field path, UNSET where it is absent."""
    current: Any = document
    for part in path.split("."):
        if not isinstance(current, dict) or part not in current:
            return UNSET
        current = current[part]
    return current
