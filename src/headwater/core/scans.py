"""Scans: a range of an index being read, and how far its handler came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from headwater.core.documents import Stored
from headwater.core.pages import Window
from headwater.core.requests import Range


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
    """

    range: Range
    start: bytes
    end: bytes
    window: Window | None = None
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

    def looked_at(self) -> tuple[bytes, bytes] | None:
        """The part of the range the handler depends on: as far as it came, found or not."""
        if self.done and self.used >= len(self.keys):
            return self.start, self.end
        if self.used == 0:
            return None
        last = self.keys[self.used - 1]
        return (last, self.end) if self.descending else (self.start, last + b"\x00")


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
