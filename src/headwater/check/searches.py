"""HW401 for searches: a search index that exists, filtered by the fields it declares."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headwater.check.chains import Chain, Link
from headwater.check.tables import Table, TableIndex


@dataclass(frozen=True)
class Problem:
    """What is wrong with a call, where, why it matters, and what to write instead."""

    what: str
    line: int
    col: int
    why: str
    fix: str


def search_problems(chain: Chain, link: Link) -> Iterator[Problem]:
    """Problems of one call of with_search_index on a table that is known for certain."""
    place = link.call.args[0] if link.call.args else None
    name = place.value if isinstance(place, ast.Constant) else None
    if place is None or not isinstance(name, str):
        return
    index = chain.table.index(name)
    if index is None:
        yield _unknown(chain.table, name, place)
    elif not index.is_search:
        what = f'"{name}" is an ordinary index, read by with_index()'
        why = "with_search_index searches for words"
        yield Problem(what, link.line, link.col, why, _way_out(chain.table, name))
    else:
        yield from _filters(chain, index, link.call)


def _unknown(table: Table, name: str, place: ast.expr) -> Problem:
    known = _search_indexes(table)
    listed = f"search indexes of {table.class_name}: {', '.join(known)}"
    return Problem(
        f'{table.class_name} has no search index "{name}"',
        place.lineno,
        place.col_offset + 1,
        "a search reads a search index that its table declares",
        _nearest(name, known) or (listed if known else _declaration(table, name)),
    )


def _way_out(table: Table, name: str) -> str:
    known = _search_indexes(table)
    with_index = f'.with_index("{name}", ...)'
    return f"{with_index}, or search by {', '.join(known)}" if known else with_index


def _filters(chain: Chain, index: TableIndex, call: ast.Call) -> Iterator[Problem]:
    if index.filters is None:
        return
    for keyword in call.keywords:
        if keyword.arg is None:
            continue
        place = (keyword.lineno, keyword.col_offset + 1)
        field = chain.field(keyword.arg)
        head, separator, lookup = keyword.arg.rpartition("__")
        if separator and lookup in ("gt", "gte", "lt", "lte"):
            what = f'"{keyword.arg}" is a range; a search filters by equal values'
            fix = f"test it after the search: .filter(lambda d: d.{chain.field(head)} ...)"
            yield Problem(what, *place, "each filter value has a list of words of its own", fix)
        elif field not in index.filters:
            yield _no_filter(chain.table, index, field, place)


def _no_filter(table: Table, index: TableIndex, field: str, place: tuple[int, int]) -> Problem:
    known = index.filters or ()
    fix = _nearest(field, known)
    if field in table.fields:
        fields = ", ".join(f'"{name}"' for name in (*known, field))
        comma = "," if not known else ""
        fix = (
            f"test it after the search: .filter(lambda d: d.{field} ...),\n"
            f"or declare in {index.name} of class {table.class_name} ({table.path}):\n"
            f"filter_fields=({fields}{comma})"
        )
    return Problem(
        f'search index "{index.name}" has no filter field "{field}"',
        *place,
        f"its filter fields are {', '.join(known)}" if known else "it declares no filter_fields",
        fix or f"filter fields of {index.name}: {', '.join(known) or 'none'}",
    )


def _search_indexes(table: Table) -> list[str]:
    return [index.name for index in table.indexes.values() if index.is_search]


def _declaration(table: Table, name: str) -> str:
    return f'declare in class {table.class_name} ({table.path}):\n{name} = SearchIndex("...")'


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f'did you mean "{close[0]}"?' if close else ""
