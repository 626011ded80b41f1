"""Scans: a range of an index being read, and how far its handler came."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from headwater.core.documents import Stored
from headwater.core.keys import document_key
from headwater.core.pages import Window
from headwater.core.ranking import document_of
from headwater.core.reads import ReadSet, point
from headwater.core.requests import Range
from headwater.core.storage import Entry


@dataclass(slots=True)
class Given:
    """What open scans have handed out so far, looked at or not: what limits count."""

    documents: int = 0
    bytes: int = 0


@dataclass(slots=True)
class OpenScan:
    """A range being read.

    Attributes:
        used: how many of the documents given so far the handler has looked at.
        done: the range holds no more than was given.
        window: the page it is read for, if it is.
        ranks: what a search found, in place of entries of an index.
    """

    range: Range
    start: bytes
    end: bytes
    window: Window | None = None
    ranks: list[Entry] | None = None
    keys: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    used: int = 0
    done: bool = False

    @property
    def descending(self) -> bool:
        """Whether it is read from its end."""
        return self.range.descending

    def rest(self) -> tuple[bytes, bytes]:
        """The part of the range that was not given yet."""
        if not self.keys:
            return self.start, self.end
        last = self.keys[-1]
        return (self.start, last) if self.descending else (last + b"\x00", self.end)

    def found(self, limit: int) -> list[Entry]:
        """The next entries of a search."""
        assert self.ranks is not None, "a search has ranks"
        start, end = (bisect_left(self.ranks, (key, "")) for key in self.rest())
        return self.ranks[start : min(end, start + limit)]

    def settle(self, reads: ReadSet) -> None:
        """Adds the part of the range the handler depends on: as far as it came, found or not.

        Of a search, the documents it looked at; the postings it found them by are there already.
        """
        if self.ranks is not None:
            for rank in self.keys[: self.used]:
                reads.add(*point(document_key(document_of(rank))))
        elif self.done and self.used >= len(self.keys):
            reads.add(self.start, self.end)
        elif self.used:
            last = self.keys[self.used - 1]
            if self.descending:
                reads.add(last, self.end)
            else:
                reads.add(self.start, last + b"\x00")


@dataclass(slots=True)
class Batch:
    """Documents of a scan; `done` when there are no more to be had from it."""

    scan: OpenScan
    documents: list[Stored]
    done: bool


def account(scans: Iterable[OpenScan], by_id: int) -> str:
    """What was read through which index, most first: for the message of a limit."""
    read: Counter[str] = Counter()
    for scan in scans:
        read[f"{scan.range.table}.{scan.range.index}"] += len(scan.keys)
    parts = [f"{count} through {index}" for index, count in read.most_common(3) if count]
    parts += [f"{by_id} by id"] * (by_id > 0)
    return f"Documents read so far: {', '.join(parts)}. " if parts else ""
