"""Kinds of fields: an annotation, the wire values that fit it, and how Python spells them."""

from __future__ import annotations

import enum
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

from headwater import Int64, Model

Wire = st.SearchStrategy[Any]


class Color(enum.Enum):
    """An enumeration of texts."""

    RED = "red"
    GREEN = "green"


class Point(Model):
    """A nested object with a field of each presence."""

    x_left: float
    label: str | None
    deep: list[Int64] = []
    note: bytes | None = None


def _unpack(bits: int) -> float:
    (number,) = struct.unpack(">d", bits.to_bytes(8, "big"))
    return float(number)


_NANS = [math.nan, -math.nan, _unpack(0x7FF0_0000_0000_0001), _unpack(0xFFF8_0000_0000_0007)]
_FLOATS = [0.0, -0.0, 1.0, 1.5, -1.0, math.inf, -math.inf, 5e-324, 2.0**53, *_NANS]
_WHOLE = [0.0, 1.0, 2.0, -1.0, 2.0**53, -(2.0**53)]
_LONGS = [Int64(n) for n in (0, 1, -1, 2**63 - 1, -(2**63))]
_TEXTS = ["", "a", "b", "\x00", "a\x00", "a\x00b", "\x00\xff", "é", "\uffff", "\U0001f600"]
_BLOBS = [b"", b"\x00", b"\xff", b"a\x00", b"a\x00\xff", b"ab"]

numbers: Wire = st.one_of(st.sampled_from(_FLOATS), st.floats())
texts: Wire = st.one_of(st.sampled_from(_TEXTS), st.text(max_size=5))
longs: Wire = st.one_of(
    st.sampled_from(_LONGS), st.integers(-(2**63), 2**63 - 1).map(lambda n: Int64(n))
)
blobs: Wire = st.one_of(st.sampled_from(_BLOBS), st.binary(max_size=5))
names: Wire = st.one_of(st.sampled_from(["a", "b", "_x", "~"]), st.from_regex(r"\A[ -#%-~]{1,4}\Z"))
scalars: Wire = st.one_of(st.none(), st.booleans(), numbers, texts, longs, blobs)
anything: Wire = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=6,
)
present: Wire = anything.filter(lambda value: value is not None)
pairs: Wire = st.one_of(
    *(st.tuples(kind, kind) for kind in (texts, blobs, numbers, longs, anything)),
    st.tuples(st.lists(texts, max_size=2), st.lists(texts, max_size=2)),
)
"""Two values, more often than not of one kind and near each other."""
points: Wire = st.fixed_dictionaries(
    {"xLeft": numbers, "label": st.none() | texts, "deep": st.lists(longs, max_size=2)},
    optional={"note": blobs},
)


def _point(wire: dict[str, Any]) -> Point:
    return Point(
        x_left=wire["xLeft"], label=wire["label"], deep=wire["deep"], note=wire.get("note")
    )


def _itself(wire: Any) -> Any:
    return wire


@dataclass(frozen=True)
class Kind:
    """One kind of field."""

    annotation: Any
    wire: Wire
    python: Callable[[Any], Any] = _itself


KINDS: dict[str, Kind] = {
    "text": Kind(str, texts),
    "number": Kind(float, numbers),
    "whole": Kind(int, st.sampled_from(_WHOLE), int),
    "flag": Kind(bool, st.booleans()),
    "long": Kind(Int64, longs),
    "blob": Kind(bytes, blobs),
    "choice": Kind(Literal["low", "high", True], st.sampled_from(["low", "high", True])),
    "color": Kind(Color, st.sampled_from(["red", "green"]), Color),
    "either": Kind(str | float, st.one_of(texts, numbers)),
    "list": Kind(list[str], st.lists(texts, max_size=3)),
    "map": Kind(dict[str, float], st.dictionaries(names, numbers, max_size=3)),
    "wholes": Kind(
        list[int], st.lists(st.sampled_from(_WHOLE), max_size=3), lambda wire: list(map(int, wire))
    ),
    "point": Kind(Point, points, _point),
    "points": Kind(list[Point], st.lists(points, max_size=2), lambda wire: list(map(_point, wire))),
    "any": Kind(Any, present),
}
