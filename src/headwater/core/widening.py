"""Whether every value of one shape also has another: then stored documents need no check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.core.validators import (
    AnyValue,
    Array,
    Boolean,
    Bounds,
    Bytes,
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


def widens(old: Validator, new: Validator) -> bool:
    """True when all that fits `old` is sure to fit `new`; False also where that is not known."""
    if isinstance(new, AnyValue) or old.to_json() == new.to_json():
        return True
    if isinstance(old, Union):
        return all(widens(member, new) for member in old.members)
    if isinstance(new, Union):
        return any(widens(old, member) for member in new.members)
    if isinstance(old, Literal):
        return new.check(old.value, _no_table) is None
    if isinstance(old, IdOf) and new == String():
        return True
    rule = _RULES.get(type(old))
    return rule is not None and type(new) is type(old) and rule(old, new)


def _no_table(_text: str) -> None:
    return None


def _weaker(old: Bounds, new: Bounds) -> bool:
    """True when no value within the old bounds is outside the new ones."""
    return all(_within(name, getattr(old, name), bound) for name, bound in new.to_json().items())


def _within(name: str, old: float | None, new: float) -> bool:
    if old is None or name == "multiple_of":
        return old == new
    return old >= new if name in ("ge", "gt") else old <= new


def _id(old: Any, new: Any) -> bool:
    return new.table in (None, old.table)


def _number(old: Any, new: Any) -> bool:
    return (old.integer or not new.integer) and _weaker(old.bounds, new.bounds)


def _string(old: Any, new: Any) -> bool:
    return new.pattern in (None, old.pattern) and _weaker(old.length, new.length)


def _array(old: Any, new: Any) -> bool:
    return widens(old.item, new.item) and _weaker(old.length, new.length)


def _record(old: Any, new: Any) -> bool:
    return widens(old.keys, new.keys) and widens(old.values, new.values)


def _object(old: Any, new: Any) -> bool:
    """Every old field is there and as wide; a new one may be absent."""
    added = new.fields.keys() - old.fields.keys()
    return all(new.fields[name].optional for name in added) and all(
        name in new.fields
        and (new.fields[name].optional or not field.optional)
        and widens(field.validator, new.fields[name].validator)
        for name, field in old.fields.items()
    )


_RULES: dict[type[Validator], Callable[[Any, Any], bool]] = {
    Null: lambda old, new: True,
    Boolean: lambda old, new: True,
    Number: _number,
    Int64Validator: lambda old, new: _weaker(old.bounds, new.bounds),
    String: _string,
    IdOf: _id,
    Bytes: lambda old, new: _weaker(old.length, new.length),
    Array: _array,
    Record: _record,
    Object: _object,
}
