"""Cursors: where a page begins and ends, opaque to clients and bound to their query."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from headwater.core.documents import Stored
from headwater.core.requests import Page
from headwater.errors import InvalidCursor, QueryInvalid

_END = b""  # the position after the last document, whatever is added later
_MARK = 8  # bytes of the query's fingerprint in a cursor


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
    """The part of a range one page reads."""

    start: bytes
    end: bytes
    limit: int | None
    mark: bytes
    end_position: bytes | None
    maximum: int | None

    def result(self, documents: list[Stored], keys: list[bytes], exhausted: bool) -> PageBatch:
        """The page of the documents read.

        A page that is exactly full is not done: only an attempt to read on shows the end.
        """
        if self.end_position is not None:
            position = self.end_position
        else:
            position = _END if exhausted else keys[-1]
        split = _cursor(self.mark, keys[len(keys) // 2]) if len(keys) > 2 else None
        status = self._status(len(keys))
        return PageBatch(
            documents,
            position == _END,
            _cursor(self.mark, position),
            split if status else None,
            status,
        )

    def _status(self, rows: int) -> str | None:
        if self.maximum is None or rows <= 2:
            return None
        if rows >= self.maximum:
            return "SplitRequired"
        return "SplitRecommended" if rows * 4 > self.maximum * 3 else None


def mark(fingerprint: bytes, index_prefix: bytes) -> bytes:
    """What binds a cursor to its query, and to the index as it was when the cursor was made."""
    return hashlib.sha256(fingerprint + index_prefix).digest()[:_MARK]


def own(cursor: str | None, mark: bytes) -> str | None:
    """A cursor of a journal, None when it belongs to another query or to an index made anew."""
    try:
        return cursor if cursor is not None and _position(cursor, mark) is not None else None
    except InvalidCursor:
        return None


def window(request: Page, mark: bytes, start: bytes, end: bytes) -> Window:
    """The window of a page request within its query's interval.

    Raises:
        QueryInvalid: num_items below 1.
        InvalidCursor: a cursor of another query or of an index made anew, or no cursor at all.
    """
    if request.num_items < 1:
        raise QueryInvalid(f"paginate() needs num_items of 1 or more, not {request.num_items}")
    after = None if request.cursor is None else _position(request.cursor, mark)
    until = None if request.end_cursor is None else _position(request.end_cursor, mark)
    descending = request.range.descending
    for position, begins in ((after, True), (until, False)):
        if position is None or (position == _END and not begins):
            continue
        start, end = _cut(start, end, position, begins, descending)
    limit = None if until is not None else request.num_items
    return Window(start, end, limit, mark, until, request.maximum_rows_read)


def _cut(
    start: bytes, end: bytes, position: bytes, begins: bool, desc: bool
) -> tuple[bytes, bytes]:
    """An interval cut at a position: the part after it, or up to and with it, in reading order."""
    if position == _END:
        return (start, start) if desc else (end, end)
    if begins:
        return (start, min(end, position)) if desc else (max(start, position + b"\x00"), end)
    return (max(start, position), end) if desc else (start, min(end, position + b"\x00"))


def _cursor(mark: bytes, position: bytes) -> str:
    return base64.urlsafe_b64encode(mark + position).decode()


def _position(cursor: str, mark: bytes) -> bytes:
    try:
        raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidCursor from None
    if raw[:_MARK] != mark:
        raise InvalidCursor
    return raw[_MARK:]
