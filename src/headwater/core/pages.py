"""Pages: where one begins and ends, by cursors that are bound to their query."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from headwater.core.cursors import QuerySeal
from headwater.core.documents import Stored
from headwater.core.requests import Page
from headwater.errors import InvalidCursor, QueryInvalid
from headwater.settings import Limits

if TYPE_CHECKING:
    from headwater.core.scans import OpenScan

_END = b""  # the position after the last document, whatever is added later


@dataclass(slots=True)
class PageBatch:
    """One page, its documents and cursors: what a PaginationResult is made of."""

    documents: list[Stored]
    done: bool
    cursor: str
    split_cursor: str | None
    status: str | None


@dataclass(slots=True)
class Window:
    """The part of a range one page reads, and how much of it.

    Attributes:
        limit: documents to begin with; None for a page that has an end, which is read to it.
        rows: documents to read at most, None where there is an end or no such wish.
        bytes: the same of bytes; the document that goes beyond is still read.
        soft: documents, bytes and length of a page beyond which a split is recommended.
        slot: the page's place in the call's journal.
        stopped: it reached `rows` or `bytes`.
    """

    start: bytes
    end: bytes
    limit: int | None
    seal: QuerySeal
    end_position: bytes | None
    rows: int | None
    bytes: int | None
    soft: tuple[int, int, int]
    slot: int = 0
    stopped: bool = False

    def allowed(self, given: int, wanted: int | None) -> int | None:
        """How many of the documents wanted may still be read after those given."""
        if self.rows is None:
            return wanted
        return self.rows - given if wanted is None else min(wanted, self.rows - given)

    def within(self, before: int, sizes: list[int]) -> int:
        """How many documents of these sizes are read until the page's bytes are reached."""
        if self.bytes is None:
            return len(sizes)
        sums = accumulate(sizes, initial=before)
        return sum(1 for read in list(sums)[:-1] if read < self.bytes)

    def note(self, scan: OpenScan) -> bool:
        """Whether the page has read all it may."""
        full = self.rows is not None and len(scan.keys) >= self.rows
        self.stopped = full or (self.bytes is not None and sum(scan.sizes) >= self.bytes)
        return self.stopped

    def result(self, scan: OpenScan, kept: int, documents: list[Stored]) -> PageBatch:
        """The page of what the handler has looked at and of which it kept so many.

        A page that is exactly full is not done: only an attempt to read on shows the end.

        Raises:
            QueryInvalid: it looked at nothing of what there was.
        """
        rows, position = scan.used, self.end_position
        exhausted = scan.done and rows == len(scan.keys)
        if position is None:
            full = rows > 0 and self.limit is not None and kept >= self.limit
            if rows == 0 and not exhausted:
                raise QueryInvalid("a page ends after a document of it")
            position = _END if exhausted and not full else scan.keys[rows - 1]
        split = self.seal.cursor(scan.keys[rows // 2]) if rows > 2 else None
        cursor, status = self.seal.cursor(position), self._status(scan, kept)
        return PageBatch(documents, position == _END, cursor, split, status)

    def _status(self, scan: OpenScan, kept: int) -> str | None:
        if self.stopped and not scan.done and scan.used == len(scan.keys):
            return "SplitRequired"
        read = scan.used, sum(scan.sizes[: scan.used]), kept
        over = any(is_ > soft for is_, soft in zip(read, self.soft, strict=True))
        return "SplitRecommended" if over else None


def mark(fingerprint: bytes, index_prefix: bytes) -> bytes:
    """What binds a cursor to its query, and to the index as it was when the cursor was made."""
    return hashlib.sha256(fingerprint + index_prefix).digest()


def window(
    request: Page, seal: QuerySeal, start: bytes, end: bytes, journal: str | None, limits: Limits
) -> Window:
    """The window of a page request within its query's interval.

    Args:
        request: the page wanted.
        seal: of its query.
        start: where the query's interval begins.
        end: where it ends.
        journal: where this page ended when the query ran last.
        limits: of the transaction; beyond three quarters of them a split is recommended, too.

    Raises:
        QueryInvalid: num_items, maximum_rows_read or maximum_bytes_read below 1.
        InvalidCursor: a cursor of another query or of an index made anew, or no cursor at all.
    """
    _check_counts(request)
    descending = request.range.descending
    after = None if request.cursor is None else seal.position(request.cursor)
    until = None if request.end_cursor is None else seal.position(request.end_cursor)
    if until is None:
        until = _remembered(journal, seal, after, descending)
    for position, begins in ((after, True), (until, False)):
        if position is None or (position == _END and not begins):
            continue
        start, end = _cut(start, end, position, begins, descending)
    rows, bytes_ = request.maximum_rows_read, request.maximum_bytes_read
    soft = (
        _soft(min(rows or limits.documents_read, limits.documents_read)),
        _soft(min(bytes_ or limits.bytes_read, limits.bytes_read)),
        _soft(limits.array_length),
    )
    if until is not None:
        return Window(start, end, None, seal, until, None, None, soft)
    return Window(start, end, request.num_items, seal, None, rows, bytes_, soft)


def _check_counts(request: Page) -> None:
    for name in ("num_items", "maximum_rows_read", "maximum_bytes_read"):
        count = getattr(request, name)
        if count is not None and count < 1:
            raise QueryInvalid(f"paginate() needs {name} of 1 or more, not {count}")


def _soft(limit: int) -> int:
    return limit * 3 // 4


def _remembered(
    journal: str | None, seal: QuerySeal, after: bytes | None, descending: bool
) -> bytes | None:
    """The end a journal has for a page, None when it belongs to another one."""
    try:
        until = None if journal is None else seal.position(journal)
    except InvalidCursor:
        return None
    if until is None or after is None or until in (_END, after):
        return until
    ahead = after != _END and (until < after if descending else until > after)
    return until if ahead else None


def _cut(
    start: bytes, end: bytes, position: bytes, begins: bool, desc: bool
) -> tuple[bytes, bytes]:
    """An interval cut at a position: the part after it, or up to and with it, in reading order."""
    if position == _END:
        return (start, start) if desc else (end, end)
    if begins:
        return (start, min(end, position)) if desc else (max(start, position + b"\x00"), end)
    return (max(start, position), end) if desc else (start, min(end, position + b"\x00"))
