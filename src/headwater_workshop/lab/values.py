"""Values in checks: compared by exact type, and shown in messages without giving content away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_WORDS: Final = {bool: "a boolean", str: "a text", float: "a number", dict: "an object"}
_SHOWN: Final = 60


class Absent:
    """The value of a field that is not there."""

    def __repr__(self) -> str:
        return "absent"


def differs(one: Any, other: Any) -> bool:
    """Whether two values differ, types included: 1 and True do."""
    if type(one) is not type(other):
        return True
    if isinstance(one, dict):
        return one.keys() != other.keys() or any(differs(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) != len(other) or any(map(differs, one, other))
    return bool(one != other)


def describe(value: Any) -> str:
    """A value in a message, without its content where that is long."""
    if isinstance(value, Absent):
        return "absent"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = repr(value) if isinstance(value, str | float) else ""
    return text if 0 < len(text) <= _SHOWN else _WORDS.get(type(value), type(value).__name__)


def listed(arguments: Mapping[str, Any]) -> str:
    """The names of a call's arguments, for a message."""
    return ", ".join(arguments)
