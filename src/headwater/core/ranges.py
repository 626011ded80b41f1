"""From a range over an index's fields to an interval of keys, checked against the index's
definition.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from headwater.core.database import Database
from headwater.core.ids import span
from headwater.core.keys import document_key, encode_key, encode_keys, index_prefix, successor
from headwater.core.manifest import (
    BY_CREATION_TIME,
    BY_ID,
    IndexSpec,
    SearchIndexSpec,
    TableSpec,
)
from headwater.core.names import python_name
from headwater.core.reads import Interval, point
from headwater.core.requests import Bound, Range, Search
from headwater.errors import HeadwaterError, IndexBackfilling, IndexStaged, QueryInvalid

_COUNTED = 1_000_000
_DECLARE = 'use one of these, or declare it in backend/schema.py: by_owner = Index("owner")'
_ORDER = "give equal values for the index's first fields, then at most one range on the next"
_SYSTEM = {"_id": "id", "_creationTime": "creation_time"}


def index_of(wanted: Range, table: TableSpec) -> IndexSpec:
    """The index a range names.

    Raises:
        QueryInvalid: the table has no such index; suggests the nearest.
    """
    index = table.index(wanted.index)
    if index is None and table.search_index(wanted.index) is not None:
        raise QueryInvalid(
            f"`{wanted.index}` of table {table.name} is a search index: read it by "
            f'.with_search_index("{wanted.index}", text)'
        ).by_rule("HW401", f'.with_search_index("{wanted.index}", text)')
    if index is None:
        names = [*(spec.name for spec in table.indexes), "by_creation_time", "by_id"]
        raise QueryInvalid(
            f"table {table.name} has no index `{wanted.index}`."
            f"{_nearest(wanted.index, names)} Indexes: {', '.join(names)}"
        ).by_rule("HW401", _DECLARE)
    return index


def interval(wanted: Range, index: IndexSpec, number: int) -> Interval:
    """The keys a range covers in index `number`.

    Raises:
        QueryInvalid: fields that the index has not, or not in this order.
    """
    order = fields_of(index)
    values = _equal_values(wanted, index, order)
    prefix = index_prefix(number) + encode_keys(values)
    bound = wanted.lower or wanted.upper
    if bound is None:
        return prefix, successor(prefix)
    _check_bounds(wanted, index, order, len(values))
    return _lower(prefix, wanted.lower), _upper(prefix, wanted.upper)


def unavailable(
    database: Database, table: str, index: IndexSpec | SearchIndexSpec
) -> HeadwaterError:
    """Why an index is not to be read just now: it is staged, or not yet filled."""
    if index.staged:
        return IndexStaged(table, index.name)
    entry = database.catalog.table(table)
    first = index_prefix(entry.indexes[BY_CREATION_TIME.name].number)
    to = entry.indexes[index.name].filled_to or first
    total = database.storage.count(first, successor(first), _COUNTED)
    done = database.storage.count(first, to, _COUNTED)
    of = f"more than {total:,}" if total == _COUNTED else f"{total:,}"
    return IndexBackfilling(table, index.name, f"{done:,} of {of} documents so far")


def ids_interval(wanted: Range, number: int) -> Interval:
    """The document keys a range of `by_id` covers in the table of this number.

    Raises:
        QueryInvalid: a field that is not the id.
    """
    order = fields_of(BY_ID)
    low, high = map(document_key, span(number))
    equal = _equal_values(wanted, BY_ID, order)
    if equal:
        _check_bounds(wanted, BY_ID, order, 1)
        start, end = point(_id_key(equal[0]))
        return max(low, start), min(high, end)
    _check_bounds(wanted, BY_ID, order, 0)
    lower, upper = wanted.lower, wanted.upper
    if lower is not None:
        low = max(low, _id_key(lower.value) + (b"" if lower.inclusive else b"\x00"))
    if upper is not None:
        high = min(high, _id_key(upper.value) + (b"\x00" if upper.inclusive else b""))
    return low, high


def _id_key(value: Any) -> bytes:
    """Where a value lies among the ids; what is no text lies before or after all of them."""
    if isinstance(value, str):
        return document_key(value)
    return document_key("") if encode_key(value) < encode_key("") else document_key("~")


def fields_of(index: IndexSpec) -> tuple[str, ...]:
    """The fields an index is ordered by, the creation time included."""
    return index.fields if index is BY_ID else (*index.fields, "_creationTime")


def fingerprint(wanted: Range) -> bytes:
    """What a cursor is bound to: the query but for its filter, which is code."""
    bounds = [
        (b.field, encode_key(b.value), b.inclusive) if b else None
        for b in (wanted.lower, wanted.upper)
    ]
    equal = [(field, encode_key(value)) for field, value in wanted.equal]
    query = (wanted.table, wanted.index, equal, bounds, wanted.descending)
    return repr((*query, wanted.text) if isinstance(wanted, Search) else query).encode()


def _equal_values(wanted: Range, index: IndexSpec, order: tuple[str, ...]) -> list[Any]:
    given = dict(wanted.equal)
    for field in given:
        _check_known(field, index, order)
    values = []
    for field in order[: len(given)]:
        if field not in given:
            raise _out_of_order(wanted, index, order)
        values.append(given[field])
    return values


def _check_bounds(wanted: Range, index: IndexSpec, order: tuple[str, ...], equal: int) -> None:
    for bound in (wanted.lower, wanted.upper):
        if bound is not None:
            _check_known(bound.field, index, order)
            if equal >= len(order) or bound.field != order[equal]:
                raise _out_of_order(wanted, index, order)


def _check_known(field: str, index: IndexSpec, order: tuple[str, ...]) -> None:
    if field not in order:
        raise QueryInvalid(
            f"index {index.name} has no field `{_python(field)}`."
            f"{_nearest(_python(field), map(_python, order))} Its fields: {_listed(order)}"
        ).by_rule("HW401", _ORDER)


def _out_of_order(wanted: Range, index: IndexSpec, order: tuple[str, ...]) -> QueryInvalid:
    given = [_python(field) for field, _ in wanted.equal]
    given += [f"{_python(b.field)} (range)" for b in (wanted.lower, wanted.upper) if b]
    return QueryInvalid(
        f"index {index.name} is ordered by {_listed(order)}; equal fields come first in "
        f"that order, then one range on the next field. Given: {', '.join(given)}"
    ).by_rule("HW401", _ORDER)


def _lower(prefix: bytes, bound: Bound | None) -> bytes:
    if bound is None:
        return prefix
    key = prefix + encode_key(bound.value)
    return key if bound.inclusive else successor(key)


def _upper(prefix: bytes, bound: Bound | None) -> bytes:
    if bound is None:
        return successor(prefix)
    key = prefix + encode_key(bound.value)
    return successor(key) if bound.inclusive else key


def _python(field: str) -> str:
    return _SYSTEM.get(field) or python_name(field)


def _listed(fields: Iterable[str]) -> str:
    return ", ".join(map(_python, fields))


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean `{close[0]}`?" if close else ""
