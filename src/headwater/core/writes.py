"""Documents on their way into a table: patched, checked against its shape, bounded."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from headwater.core.documents import Stored
from headwater.core.keys import field_value
from headwater.core.manifest import TableSpec
from headwater.core.names import python_name
from headwater.core.search import words
from headwater.core.validators import Misfit, Object, TableOf
from headwater.core.values import is_deeper
from headwater.errors import DocumentInvalid, LimitExceeded
from headwater.settings import Limits

_AS_DECLARED = "write what the table's class declares, or declare it in backend/schema.py first"
_NAME_LENGTH = Limits().name_length


def patched(
    table: TableSpec, fields: dict[str, Any], changes: dict[str, Any], removed: Iterable[str]
) -> dict[str, Any]:
    """A document's fields with a patch laid over.

    In Python None means absent for an optional field, so None removes it there.

    Raises:
        DocumentInvalid: a field the table has not; suggests the nearest.
    """
    shape = table.document.fields if isinstance(table.document, Object) else None
    result = dict(fields)
    for name, value in changes.items():
        spec = None if shape is None else shape.get(name)
        if shape is not None and spec is None:
            raise DocumentInvalid(
                f"table {table.name} has no field `{python_name(name)}`.{_near(name, shape)}"
            ).by_rule("HW405", _AS_DECLARED)
        absent = value is None and spec is not None and spec.optional
        if absent and spec is not None and spec.validator.check(None, _no_table) is not None:
            result.pop(name, None)
        else:
            result[name] = value
    for name in removed:
        result.pop(name, None)
    return result


def checked_document(
    table: TableSpec,
    fields: dict[str, Any],
    system: dict[str, Any],
    table_of: TableOf,
) -> dict[str, Any]:
    """The document with its system fields, fit to be stored.

    Raises:
        DocumentInvalid: names the table, the path of the field and what is expected there.
    """
    misfit = table.document.check(fields, table_of) or _misnamed(fields)
    if misfit is not None:
        raise DocumentInvalid(
            f'Failed to insert or update a document in table "{table.name}" '
            f"because it does not match the schema: {misfit}"
        ).by_rule("HW405", _AS_DECLARED)
    return {**fields, **system}


def check_size(stored: Stored, limits: Limits) -> None:
    """Refuses a document that is too large, has too many fields or is nested too deep.

    Raises:
        LimitExceeded: names the limit.
    """
    if len(stored.value) > limits.object_fields:
        raise LimitExceeded(
            f"a document of table {stored.table} has {len(stored.value)} fields, the limit is "
            f"{limits.object_fields}. Keep a growing collection in documents of their own"
        )
    if is_deeper(stored.value, limits.document_depth):
        raise LimitExceeded(
            f"a document of table {stored.table} is nested deeper than {limits.document_depth} "
            "levels. Keep what is inside in documents of their own"
        )
    if stored.size > limits.document_bytes:
        raise LimitExceeded(
            f"a document of table {stored.table} has {stored.size} bytes, the limit is "
            f"{limits.document_bytes}. Keep large data in child documents"
        )


def check_words(table: TableSpec, stored: Stored, limits: Limits) -> None:
    """Refuses a text with more different words than a search index takes.

    Raises:
        LimitExceeded: names the field and the limit.
    """
    for index in table.search_indexes:
        text = field_value(stored.value, index.field)
        # A word and what parts it from the next take two characters: short texts are not counted.
        if type(text) is not str or len(text) < 2 * limits.search_document_words:
            continue
        if len(set(words(text))) > limits.search_document_words:
            raise LimitExceeded(
                f"`{python_name(index.field)}` of a document of table {table.name} has more than "
                f"{limits.search_document_words} different words, the limit of search index "
                f"{index.name}. Keep a long text in several documents"
            )


def _misnamed(fields: dict[str, Any]) -> Misfit | None:
    for name in fields:
        plain = name.isidentifier() and name.isascii() and not name.startswith("_")
        if not plain or len(name) > _NAME_LENGTH:
            return Misfit(
                name[:80],
                f"a field name is letters, digits and _, at most {_NAME_LENGTH}, and starts with "
                "no _",
            )
    return None


def _near(name: str, shape: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(shape), n=1)
    return f" Did you mean `{python_name(close[0])}`?" if close else ""


def _no_table(_text: str) -> None:
    return None
