"""Validators: the shape of values as plain data, checked without any user code.

They are what a manifest holds and what validation at the edge, index keys, tools and the grader's
host work from. `check` returns None, or the first misfit as a sentence that names the path inside
the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

from pydantic_core import SchemaValidator, core_schema

from headwater.core.values import SAFE_INTEGER, Encoded, Int64, decode, type_name

TableOf = Callable[[str], str | None]
"""From a text to the name of the table it is an id of, None when it is no id."""


@dataclass(frozen=True)
class Misfit:
    """Where a value does not fit and why; `str()` is the sentence."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.reason}\nPath: .{self.path}" if self.path else self.reason


@dataclass(frozen=True)
class Validator:
    """Base of all validators."""

    kind: ClassVar[str] = "any"

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        """The first misfit of a normalized value, or None."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Plain data, in the form of Convex's validators with constraints added."""
        return {"type": self.kind}

    def words(self) -> str:
        """The expected type, as messages name it."""
        return self.kind


def _wrong(expected: Validator, value: Any, path: str) -> Misfit:
    shown = value if not isinstance(value, Encoded) else decode(value.body)
    text = "" if shown is None else f": {shown!r}"
    text = text if len(text) <= 82 else text[:79] + "..."
    return Misfit(
        path,
        "Value does not match validator. "
        f"Expected {expected.words()}, got {type_name(shown)}{text}",
    )


@dataclass(frozen=True)
class AnyValue(Validator):
    """Any value, unchecked."""

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        return None


@dataclass(frozen=True)
class Null(Validator):
    """Only null."""

    kind: ClassVar[str] = "null"

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        return None if value is None else _wrong(self, value, path)


@dataclass(frozen=True)
class Boolean(Validator):
    """True or false."""

    kind: ClassVar[str] = "boolean"

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        return None if type(value) is bool else _wrong(self, value, path)


@dataclass(frozen=True)
class Bounds:
    """Constraints on a number's size or a text's, list's or object's length; None is unbounded."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    multiple_of: float | None = None

    def broken_by(self, number: float) -> str | None:
        """The bound a number breaks, in words."""
        if self.ge is not None and not number >= self.ge:
            return f"at least {self.ge:g}"
        if self.gt is not None and not number > self.gt:
            return f"more than {self.gt:g}"
        if self.le is not None and not number <= self.le:
            return f"at most {self.le:g}"
        if self.lt is not None and not number < self.lt:
            return f"less than {self.lt:g}"
        if self.multiple_of and not math.isfinite(number):
            return f"a multiple of {self.multiple_of:g}"
        if self.multiple_of and math.remainder(number, self.multiple_of):
            return f"a multiple of {self.multiple_of:g}"
        return None

    def to_json(self) -> dict[str, float]:
        """The bounds that are set."""
        return {name: value for name, value in self.__dict__.items() if value is not None}


NO_BOUNDS = Bounds()


@dataclass(frozen=True)
class Number(Validator):
    """A float64; with `integer`, one without a fraction."""

    kind: ClassVar[str] = "number"
    integer: bool = False
    bounds: Bounds = NO_BOUNDS

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        if type(value) is not float:
            return _wrong(self, value, path)
        if self.integer and not (value.is_integer() and abs(value) <= SAFE_INTEGER):
            return _wrong(self, value, path)
        if self.bounds is NO_BOUNDS:
            return None
        broken = self.bounds.broken_by(value)
        return Misfit(path, f"Number {value:g} must be {broken}") if broken else None

    def to_json(self) -> dict[str, Any]:
        integer = {"integer": True} if self.integer else {}
        return {"type": self.kind, **integer, **self.bounds.to_json()}

    def words(self) -> str:
        return "integer" if self.integer else "number"


@dataclass(frozen=True)
class Int64Validator(Validator):
    """A 64-bit integer, `$integer` on the wire."""

    kind: ClassVar[str] = "int64"
    bounds: Bounds = NO_BOUNDS

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        if type(value) is not Int64:
            return _wrong(self, value, path)
        broken = self.bounds.broken_by(value)
        return Misfit(path, f"Int64 {int(value)} must be {broken}") if broken else None

    def to_json(self) -> dict[str, Any]:
        return {"type": self.kind, **self.bounds.to_json()}


@lru_cache(maxsize=1024)
def _pattern(text: str) -> SchemaValidator:
    # pydantic's own engine: what its constructors accept, and linear in the text's length, so that
    # no client can hang the server with a text made for the pattern.
    return SchemaValidator(core_schema.str_schema(pattern=text))


@dataclass(frozen=True)
class String(Validator):
    """A text, with bounds on its length in characters and an optional pattern to be found in it."""

    kind: ClassVar[str] = "string"
    length: Bounds = NO_BOUNDS
    pattern: str | None = None

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        if type(value) is not str:
            return _wrong(self, value, path)
        broken = None if self.length is NO_BOUNDS else self.length.broken_by(len(value))
        if broken:
            return Misfit(path, f"String of {len(value)} characters must have {broken} characters")
        if self.pattern is not None and not _pattern(self.pattern).isinstance_python(value):
            return Misfit(
                path, f"String {value[:40]!r} does not match the pattern {self.pattern!r}"
            )
        return None

    def to_json(self) -> dict[str, Any]:
        pattern = {"pattern": self.pattern} if self.pattern is not None else {}
        return {"type": self.kind, **pattern, **self.length.to_json()}


@dataclass(frozen=True)
class Bytes(Validator):
    """Bytes, with bounds on their number."""

    kind: ClassVar[str] = "bytes"
    length: Bounds = NO_BOUNDS

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        if type(value) is not bytes:
            return _wrong(self, value, path)
        broken = self.length.broken_by(len(value))
        return Misfit(path, f"{len(value)} bytes must be {broken} bytes") if broken else None

    def to_json(self) -> dict[str, Any]:
        return {"type": self.kind, **self.length.to_json()}


@dataclass(frozen=True)
class IdOf(Validator):
    """An id of one table, or of any table when `table` is None."""

    kind: ClassVar[str] = "id"
    table: str | None = None

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        if type(value) is not str:
            return _wrong(self, value, path)
        found = table_of(value)
        if found is None:
            return _wrong(self, value, path)
        if self.table is None or found == self.table:
            return None
        return Misfit(
            path,
            f"Found ID {value!r} from table `{found}`, which does not match the table name in "
            f"validator `v.id({self.table!r})`.",
        )

    def to_json(self) -> dict[str, Any]:
        return {"type": self.kind, "tableName": self.table}

    def words(self) -> str:
        return f"id of table {self.table}" if self.table else "id of any table"


@dataclass(frozen=True)
class Literal(Validator):
    """Exactly one value."""

    kind: ClassVar[str] = "literal"
    value: str | float | bool | Int64 = ""

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        same = type(value) is type(self.value) and value == self.value
        return None if same else _wrong(self, value, path)

    def to_json(self) -> dict[str, Any]:
        if isinstance(self.value, Int64):
            return {"type": self.kind, "int64": str(int(self.value))}
        return {"type": self.kind, "value": self.value}

    def words(self) -> str:
        return repr(self.value)


@dataclass(frozen=True)
class Array(Validator):
    """A list of items of one shape."""

    kind: ClassVar[str] = "array"
    item: Validator = AnyValue()
    length: Bounds = NO_BOUNDS

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        if type(value) is not list:
            return _wrong(self, value, path)
        broken = self.length.broken_by(len(value))
        if broken:
            return Misfit(path, f"Array of {len(value)} items must have {broken} items")
        check = self.item.check
        for i, item in enumerate(value):
            misfit = check(item, table_of)
            if misfit:
                return check(item, table_of, f"{path}[{i}]")
        return None

    def to_json(self) -> dict[str, Any]:
        return {"type": self.kind, "value": self.item.to_json(), **self.length.to_json()}

    def words(self) -> str:
        return f"array of {self.item.words()}"


@dataclass(frozen=True)
class Record(Validator):
    """An object with any keys of one shape and values of another."""

    kind: ClassVar[str] = "record"
    keys: Validator = String()
    values: Validator = AnyValue()

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        if type(value) is not dict:
            return _wrong(self, value, path)
        for key, member in value.items():
            misfit = self.keys.check(key, table_of, f"{path}.{key}")
            misfit = misfit or self.values.check(member, table_of, f"{path}.{key}")
            if misfit:
                return misfit
        return None

    def to_json(self) -> dict[str, Any]:
        values = {"fieldType": self.values.to_json(), "optional": False}
        return {"type": self.kind, "keys": self.keys.to_json(), "values": values}


@dataclass(frozen=True)
class Field:
    """One member of an object; an optional one may be absent (null does not count as absent)."""

    validator: Validator
    optional: bool = False


@dataclass(frozen=True)
class Object(Validator):
    """An object with exactly these members; `document` names the table whose documents it is."""

    kind: ClassVar[str] = "object"
    fields: Mapping[str, Field] = field(default_factory=dict)
    document: str | None = None

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        if isinstance(value, Encoded):
            if value.table == self.document and self.document is not None:
                return None  # a stored document: it was checked when it was written
            value = decode(value.body)
        if type(value) is not dict:
            return _wrong(self, value, path)
        for name, spec in self.fields.items():
            if name in value:
                misfit = spec.validator.check(value[name], table_of, _join(path, name))
                if misfit:
                    return misfit
            elif not spec.optional:
                return Misfit(path, f"Object is missing the required field `{name}`")
        if len(value) > len(self.fields) or not value.keys() <= self.fields.keys():
            extra = next(name for name in value if name not in self.fields)
            return Misfit(
                path, f"Object contains extra field `{extra}` that is not in the validator"
            )
        return None

    def to_json(self) -> dict[str, Any]:
        members = {
            name: {"fieldType": spec.validator.to_json(), "optional": spec.optional}
            for name, spec in self.fields.items()
        }
        document = {"document": self.document} if self.document else {}
        return {"type": self.kind, "value": members, **document}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


@dataclass(frozen=True)
class Union(Validator):
    """One of several shapes."""

    kind: ClassVar[str] = "union"
    members: tuple[Validator, ...] = ()

    def check(self, value: Any, table_of: TableOf, path: str = "") -> Misfit | None:
        misfits = []
        for member in self.members:
            misfit = member.check(value, table_of, path)
            if misfit is None:
                return None
            misfits.append((member, misfit))
        # A union with null has one real shape: its own misfit says more than the union's.
        real = [misfit for member, misfit in misfits if not isinstance(member, Null)]
        return real[0] if len(real) == 1 and value is not None else _wrong(self, value, path)

    def to_json(self) -> dict[str, Any]:
        return {"type": self.kind, "value": [member.to_json() for member in self.members]}

    def words(self) -> str:
        return " or ".join(member.words() for member in self.members)


def from_json(data: Mapping[str, Any]) -> Validator:
    """The validator that `to_json` made this from.

    Raises:
        ValueError: no known type; a manifest from a stranger is checked this way.
    """
    kind = data["type"]
    if kind not in _READERS:
        raise ValueError(f"unknown validator type {kind!r}; known: {', '.join(_READERS)}")
    return _READERS[kind](data)


def _bounds(data: Mapping[str, Any]) -> Bounds:
    given = {name: data[name] for name in Bounds.__dataclass_fields__ if name in data}
    return Bounds(**given) if given else NO_BOUNDS


def _read_literal(data: Mapping[str, Any]) -> Validator:
    if "int64" in data:
        return Literal(Int64(int(data["int64"])))
    value = data["value"]
    return Literal(float(value) if type(value) is int else value)


def _read_object(data: Mapping[str, Any]) -> Validator:
    members = {
        name: Field(from_json(spec["fieldType"]), spec["optional"])
        for name, spec in data["value"].items()
    }
    return Object(members, data.get("document"))


def _read_number(data: Mapping[str, Any]) -> Validator:
    return Number(data.get("integer", False), _bounds(data))


def _read_record(data: Mapping[str, Any]) -> Validator:
    return Record(from_json(data["keys"]), from_json(data["values"]["fieldType"]))


_READERS: dict[str, Callable[[Mapping[str, Any]], Validator]] = {
    "any": lambda data: AnyValue(),
    "null": lambda data: Null(),
    "boolean": lambda data: Boolean(),
    "number": _read_number,
    "int64": lambda data: Int64Validator(_bounds(data)),
    "string": lambda data: String(_bounds(data), data.get("pattern")),
    "bytes": lambda data: Bytes(_bounds(data)),
    "id": lambda data: IdOf(data["tableName"]),
    "literal": _read_literal,
    "array": lambda data: Array(from_json(data["value"]), _bounds(data)),
    "record": _read_record,
    "object": _read_object,
    "union": lambda data: Union(tuple(map(from_json, data["value"]))),
}
