"""The order and the sameness of values, said anew: nothing here comes from the runtime's keys."""

from __future__ import annotations

import struct
from typing import Any

from headwater import UNSET, Int64

_SIGN = 1 << 63


def order(value: Any) -> tuple[Any, ...]:
    """A tuple that compares as the value does; equal tuples are the very same value."""
    if value is UNSET:
        return (0,)
    if value is None:
        return (1,)
    if isinstance(value, list):
        return 7, tuple(map(order, value))
    if isinstance(value, dict):
        return 8, tuple((name, order(member)) for name, member in sorted(value.items()))
    return _scalar(value)


def _scalar(value: Any) -> tuple[Any, ...]:
    kind = type(value)
    if kind is Int64:
        return 2, int(value)
    if kind is float:
        return 3, float_order(value)
    if kind is bool:
        return 4, value
    if kind is str:
        return 5, tuple(map(ord, value))
    assert kind is bytes, f"{kind.__name__} is no value"
    return 6, tuple(value)


def float_order(number: float) -> int:
    """IEEE 754's total order as an integer: -NaN, -inf, -1, -0, 0, 1, inf, NaN."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", number))
    magnitude = int(bits) & ~_SIGN
    return -1 - magnitude if bits & _SIGN else magnitude


def same(left: Any, right: Any) -> bool:
    """True when two values are of one type, down to the sign of zero and the bits of a NaN."""
    return order(left) == order(right)
