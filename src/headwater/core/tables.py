"""The handler's side of tables: documents as the Python objects their classes promise."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from headwater.core import validators
from headwater.core.codecs import Codecs, MemberCodec, members_of
from headwater.core.declared_at import declared_at
from headwater.core.documents import Stored
from headwater.core.manifest import IndexSpec, TableSpec
from headwater.core.names import wire_name
from headwater.core.schema import Document, build
from headwater.core.search_tables import search_specs
from headwater.core.validators import TableOf, Validator
from headwater.errors import RegistrationError
from headwater.settings import Limits

_LIMITS = Limits()
_SYSTEM_FIELDS = {"_id", "_creationTime"}
_OWN_FIX = (
    "leave it out, and read .id and .creation_time; a time or a name of yours has another name"
)
_INDEX_FIXES = {
    "HW401": 'name fields of the table, in the order you read them by: Index("owner", "due_at")',
    "HW404": "leave it out: every index ends with the creation time, and by_id is there",
}
_SCALARS = (
    validators.Null,
    validators.Boolean,
    validators.Number,
    validators.Int64Validator,
    validators.String,
    validators.Bytes,
    validators.IdOf,
    validators.Literal,
)


class Table:
    """One declared table: its class, its spec, its names.

    Attributes:
        wires: wire names by Python name, system fields included.
        optional: wire names of the fields that may be absent.
        flat: no field can be changed in place, so one object serves every call.
    """

    def __init__(self, cls: type[Document], codecs: Codecs) -> None:
        _check_automatic(cls)
        fields, self._members = codecs.fields(cls)
        self.cls = cls
        own = {name: spec for name, spec in fields.items() if name not in _SYSTEM_FIELDS}
        self.wires = {member.name: member.wire for member in self._members}
        self.optional = frozenset(name for name, spec in own.items() if spec.optional)
        self.flat = all(_is_scalar(spec.validator) for spec in own.values())
        indexes = tuple(self._index(name) for name in cls.table_indexes)
        self._check_limits()
        document = validators.Object(own)
        wires = {name: wire for name, wire in self.wires.items() if wire in own}
        searches = search_specs(cls, wires, document)
        self.spec = TableSpec(cls.table_name, document, indexes, searches)

    @property
    def members(self) -> list[MemberCodec]:
        """Every field with its names and how to restore it."""
        return self._members

    def _check_limits(self) -> None:
        where, limit = f"{self.cls.__module__}.{self.cls.__name__}", _LIMITS.indexes_per_table
        if len(self.cls.table_indexes) > limit:
            raise RegistrationError(
                f"{where} has {len(self.cls.table_indexes)} indexes, the limit is {limit}; every "
                "write keeps all of them"
            )
        for name in (*self.wires.values(), *self.cls.table_indexes):
            if len(name) > _LIMITS.name_length:
                raise RegistrationError(
                    f"{where}: the name `{name[:80]}` has {len(name)} letters, the limit is "
                    f"{_LIMITS.name_length}; shorten it"
                )

    def _index(self, name: str) -> IndexSpec:
        where = f"{self.cls.__module__}.{self.cls.__name__}.{name}"
        if name in ("by_id", "by_creation_time"):
            text = f"{where}: this index is built in; give yours another name"
            raise self._wrong_index(name, text, "HW404")
        index, wires = self.cls.table_indexes[name], []
        given = index.fields
        if len(set(given)) < len(given):
            text = f"{where}: a field is named twice; it orders only once"
            raise self._wrong_index(name, text, "HW404")
        if len(given) >= _LIMITS.index_fields:
            raise RegistrationError(
                f"{where} has {len(given) + 1} fields with the creation time every index ends "
                f"with, the limit is {_LIMITS.index_fields} fields; leave the last ones to filters"
            )
        for field in given:
            head, *rest = field.split(".")
            if head not in self.wires or head in ("id", "creation_time"):
                known = ", ".join(n for n in self.wires if n not in ("id", "creation_time"))
                close = difflib.get_close_matches(field, self.wires, n=1)
                near = f" did you mean `{close[0]}`?" if close and close[0] in known else ""
                text = f"{where}: no field `{field}` to index;{near} fields: {known}"
                automatic = field in ("id", "creation_time")
                raise self._wrong_index(name, text, "HW404" if automatic else "HW401")
            wires.append(".".join([self.wires[head], *map(wire_name, rest)]))
        return IndexSpec(name, tuple(wires), index.staged)

    def _wrong_index(self, name: str, what: str, code: str) -> RegistrationError:
        where = declared_at(self.cls.__module__, self.cls.__name__, name)
        return RegistrationError(what).by_rule(code, _INDEX_FIXES[code], where)

    def model(self, stored: Stored) -> Any:
        """The document as an object of the table's class."""
        model = stored.model
        if model is not None and type(model) is self.cls:
            return model
        if not self.flat:
            return build(self.cls, members_of(self._members, stored.own_value()))
        stored.model = build(self.cls, members_of(self._members, stored.value), stored)
        return stored.model


def _check_automatic(cls: type[Document]) -> None:
    """Refuses fields that would never be stored: the automatic ones, and private ones."""
    for name in vars(cls).get("__annotations__", {}):
        if name in ("id", "creation_time"):
            what = f"{cls.__name__}.{name} is a field of one's own by the name of an automatic one"
        elif name in cls.__private_attributes__:
            what = f"{cls.__name__}.{name} begins with _, so that it is not stored"
        else:
            continue
        where = declared_at(cls.__module__, cls.__name__, name)
        raise RegistrationError(what).by_rule("HW404", _OWN_FIX, where)


def _is_scalar(validator: Validator) -> bool:
    if isinstance(validator, validators.Union):
        return all(map(_is_scalar, validator.members))
    return isinstance(validator, _SCALARS)


class Tables:
    """All declared tables of one loaded backend, by name and by class.

    Attributes:
        table_of: from an id to its table's name; the database the backend runs on sets it.
    """

    def __init__(self, tables: Iterable[Table] = ()) -> None:
        self.table_of: TableOf = lambda _text: None
        self.by_name: Mapping[str, Table] = {table.cls.table_name: table for table in tables}

    def of(self, cls: type[Document]) -> Table:
        """The table of a document class; any load of the class will do, for its name decides.

        Raises:
            RegistrationError: a class that is no table of this backend.
        """
        table = self.by_name.get(cls.table_name) if isinstance(cls, type) else None
        if table is None:
            known = ", ".join(t.cls.__name__ for t in self.by_name.values())
            raise RegistrationError(
                f"{getattr(cls, '__name__', cls)!s} is no table of this backend; tables: {known}"
            )
        return table

    def load(self, stored: Stored) -> Any:
        """A document as an object of its class, or as a dict when its table is not declared."""
        table = self.by_name.get(stored.table or "")
        return stored.own_value() if table is None else table.model(stored)
