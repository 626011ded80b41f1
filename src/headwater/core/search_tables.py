"""Search indexes as a document class declares them, checked at registration."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from headwater.core import validators
from headwater.core.declared_at import declared_at
from headwater.core.manifest import SearchIndexSpec
from headwater.core.names import python_name, wire_name
from headwater.core.schema import Document, SearchIndex
from headwater.core.validators import Validator
from headwater.errors import RegistrationError
from headwater.settings import Limits

_NO_TEXT = (
    validators.Null,
    validators.Boolean,
    validators.Number,
    validators.Int64Validator,
    validators.Bytes,
    validators.Array,
    validators.Object,
    validators.Record,
)


def search_specs(
    cls: type[Document], wires: Mapping[str, str], document: validators.Object
) -> tuple[SearchIndexSpec, ...]:
    """A table's search indexes under wire names.

    Args:
        cls: the document class.
        wires: wire names of its own fields, by Python name.
        document: the shape of its documents.

    Raises:
        RegistrationError: too many of them, a name that is taken, a field that is not there or
            holds no text.
    """
    declared = cls.table_search_indexes
    if len(declared) > Limits.search_indexes:
        raise RegistrationError(
            f"{cls.__module__}.{cls.__name__} has {len(declared)} search indexes, the limit is "
            f"{Limits.search_indexes}. Search one text field that holds the others' words"
        )
    return tuple(
        _spec(_Declared(cls, name), index, wires, document) for name, index in declared.items()
    )


class _Declared:
    """Where an index is declared, for messages."""

    def __init__(self, cls: type[Document], name: str) -> None:
        self.cls, self.name = cls, name

    def wrong(self, what: str) -> RegistrationError:
        """The error that says so."""
        module, name = self.cls.__module__, self.cls.__name__
        where = declared_at(module, name, self.name)
        return RegistrationError(f"{module}.{name}.{self.name}: {what}").by_rule(
            "HW401", "name one text field of the table, and fields to filter by", where
        )


def _spec(
    declared: _Declared,
    index: SearchIndex,
    wires: Mapping[str, str],
    document: validators.Object,
) -> SearchIndexSpec:
    if declared.name in ("by_id", "by_creation_time", *declared.cls.table_indexes):
        raise declared.wrong("an index has this name; give the search index another one")
    field, kind = _resolved(declared, index.field, "search", wires, document)
    if kind is not None and not _may_be_text(kind):
        raise declared.wrong(f"`{index.field}` is {kind.words()}; only texts can be searched")
    filters = [
        _resolved(declared, name, "filter by", wires, document)[0] for name in index.filter_fields
    ]
    return SearchIndexSpec(declared.name, field, tuple(filters), index.staged)


def _resolved(
    declared: _Declared,
    field: str,
    use: str,
    wires: Mapping[str, str],
    document: Validator,
) -> tuple[str, Validator | None]:
    """A field's wire path and its shape, None where nothing says what is there."""
    found: Validator | None = document
    path = []
    for part in field.split("."):
        known = list(wires) if found is document else _members(found)
        if known is not None and part not in known:
            close = difflib.get_close_matches(part, known, n=1)
            near = f"did you mean `{close[0]}`? " if close else ""
            raise declared.wrong(f"no field `{field}` to {use}; {near}fields: {', '.join(known)}")
        path.append(wires[part] if found is document else wire_name(part))
        found = _member(found, path[-1])
    return ".".join(path), found


def _object(validator: Validator | None) -> validators.Object | None:
    """The object a shape is, or may be beside null."""
    options = validator.members if isinstance(validator, validators.Union) else (validator,)
    found = [option for option in options if isinstance(option, validators.Object)]
    return found[0] if len(found) == 1 else None


def _members(validator: Validator | None) -> list[str] | None:
    found = _object(validator)
    return None if found is None else list(map(python_name, found.fields))


def _member(validator: Validator | None, name: str) -> Validator | None:
    found = _object(validator)
    return None if found is None else found.fields[name].validator


def _may_be_text(validator: Validator) -> bool:
    if isinstance(validator, validators.Union):
        return any(map(_may_be_text, validator.members))
    return not isinstance(validator, _NO_TEXT)
