"""Scans: ranges of an index being read, and how far the handler has come in each."""

from __future__ import annotations

from dataclasses import dataclass, field

from headwater.core.documents import Stored


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
    """

    table: str
    start: bytes
    end: bytes
    descending: bool
    keys: list[bytes] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    used: int = 0
    done: bool = False

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
    """Documents of a scan; `done` when the range holds no more."""

    scan: OpenScan
    documents: list[Stored]
    done: bool
