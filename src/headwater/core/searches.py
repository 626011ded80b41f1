"""The part of a transaction that answers searches: what is found, as a scan in order of rank."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from headwater.core.keys import search_prefix, successor
from headwater.core.manifest import SearchIndexSpec, TableSpec
from headwater.core.names import python_name
from headwater.core.ranges import unavailable
from headwater.core.ranking import Filter, Lookup, lookups, ranked
from headwater.core.reads import ReadSet
from headwater.core.requests import Scan, Search
from headwater.core.scans import Batch, OpenScan
from headwater.core.search import list_prefix, searched_words, value_digest
from headwater.core.storage import Entry
from headwater.core.system import SYSTEM_SPECS
from headwater.errors import LimitExceeded, QueryInvalid, SystemTableAccess

if TYPE_CHECKING:
    from headwater.core.database import Database


class Searching:
    """Answers searches within a transaction.

    A search depends on the postings of its words, which decide what is found and in which order,
    and on the documents that were looked at. A change of another document that leaves its postings
    as they are touches neither.
    """

    reads: ReadSet
    _database: Database
    _scans: list[OpenScan]

    def _entries(self, start: bytes, end: bytes, descending: bool, limit: int) -> list[Entry]:
        raise NotImplementedError

    def _next(self, scan: OpenScan, limit: int | None) -> Batch:
        raise NotImplementedError

    def _too_much(self, table: str, limit: str) -> LimitExceeded:
        raise NotImplementedError

    def _search(self, wanted: Search, request: Scan) -> Batch:
        scan = OpenScan(wanted, b"", b"")
        scan.start, scan.end, scan.ranks = self._searched(wanted)
        self._scans.append(scan)
        return self._results(scan, request.limit, stream=request.stream)

    def _searched(self, wanted: Search) -> tuple[bytes, bytes, list[Entry]]:
        """The documents found under their ranks, and the interval of keys all ranks are in."""
        database = self._database
        if len(self._scans) >= database.limits.ranges_read:
            raise self._too_much(wanted.table, "ranges_read")
        if (wanted.table in SYSTEM_SPECS) != wanted.system:
            raise SystemTableAccess(wanted.table, wanted.system)
        index = _index_of(wanted, database.table(wanted.table))
        given = _filters(wanted, index, database.limits.search_filters)
        found = database.catalog.table(wanted.table).indexes[index.name]
        if index.staged or found.filled_to is not None:
            raise unavailable(database, wanted.table, index)
        head, rest = _list(found.number, given)
        words = searched_words(wanted.text, database.limits.search_words)
        scores = [look.scores(self._postings(look), rest) for look in lookups(head, words)]
        prefix = search_prefix(found.number)
        return prefix, successor(prefix), ranked(prefix, scores)

    def _postings(self, look: Lookup) -> list[Entry]:
        """The postings of one word, bounded; what was read of their range is noted."""
        most = self._database.limits.search_postings
        found = self._entries(look.start, look.end, False, most)
        self.reads.add(look.start, look.end if len(found) < most else found[-1][0] + b"\x00")
        return found

    def _results(self, scan: OpenScan, limit: int | None, *, stream: bool) -> Batch:
        """The next documents found; a streamed search has too many once it is asked for more."""
        if scan.window is not None:
            return self._next(scan, limit)
        assert scan.ranks is not None, "a search has ranks"
        most, given = self._database.limits.search_results, len(scan.keys)
        left = len(scan.ranks) - given
        wanted = left if limit is None else min(limit, left)
        if wanted > most - given and not (stream and given < most):
            raise LimitExceeded(
                f"Search query scanned too many documents (fetched {most}) in table "
                f"{scan.range.table}. Give it a smaller .take(n), .paginate() or a filter field"
            )
        if not left:
            scan.done = True
            return Batch(scan, [], True)
        return self._next(scan, limit if wanted == limit else min(wanted, most - given))


def _index_of(wanted: Search, table: TableSpec) -> SearchIndexSpec:
    index = table.search_index(wanted.index)
    if index is None and table.index(wanted.index) is not None:
        raise QueryInvalid(
            f"`{wanted.index}` of table {table.name} is no search index: read it by "
            f'.with_index("{wanted.index}", ...)'
        ).by_rule("HW401", f'.with_index("{wanted.index}", ...)')
    if index is None:
        names = [spec.name for spec in table.search_indexes]
        listed = f"Search indexes: {', '.join(names)}" if names else "It has none"
        raise QueryInvalid(
            f"table {table.name} has no search index `{wanted.index}`."
            f"{_nearest(wanted.index, names)} {listed}"
        ).by_rule("HW401", 'declare it: search_title = SearchIndex("title")')
    return index


def _filters(wanted: Search, index: SearchIndexSpec, at_most: int) -> dict[int, bytes]:
    """The digests of the values asked for, by the place of their field in the index."""
    if len(wanted.equal) > at_most:
        raise QueryInvalid(
            f"Search query against {wanted.table}.{index.name} has too many filter conditions. "
            f"Max: {at_most} Actual: {len(wanted.equal)}"
        )
    for name, _ in wanted.equal:
        if name not in index.filters:
            known = list(map(python_name, index.filters))
            listed = f"Its filter fields: {', '.join(known)}" if known else "It has none"
            raise QueryInvalid(
                f"search index {index.name} has no filter field `{python_name(name)}`."
                f"{_nearest(python_name(name), known)} {listed}"
            ).by_rule("HW401", "name it in the index's filter_fields, or test it in .filter()")
    return {index.filters.index(name): value_digest(value) for name, value in wanted.equal}


def _list(number: int, given: dict[int, bytes]) -> tuple[bytes, Filter]:
    """What the postings to read start with, and what is left to test in each."""
    if not given:
        return list_prefix(number, None), Filter()
    first = min(given)
    rest = sorted((place - first - 1, value) for place, value in given.items() if place != first)
    return list_prefix(number, first, given[first]), Filter(tuple(rest))


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean `{close[0]}`?" if close else ""
