"""Recent timestamps that can still be read: what was committed since is undone in an overlay.

Storage keeps no old versions. Somebody who asked for a timestamp, to run several queries at, makes
the commits of the next moments keep what they replace; nobody else pays for it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from headwater.clock import Clock
from headwater.core.documents import Stored
from headwater.core.overlay import Overlay
from headwater.errors import InvalidValue, SnapshotGone
from headwater.settings import Limits

_OVERHEAD_BYTES = 500  # of a kept version, beside its body


@dataclass(frozen=True, slots=True)
class _Change:
    """One document before and after a commit."""

    ts: int
    id: str
    old: Stored | None
    new: Stored | None

    @property
    def bytes(self) -> int:
        """What keeping it takes, about."""
        return _OVERHEAD_BYTES + sum(len(one.body) for one in (self.old, self.new) if one)


class Snapshots:
    """The changes of the last moments, newest last, while somebody may read before them.

    Attributes:
        watching: changes are to be noted. False -> True by `pin`, back when no pin is left or the
            changes are too many.
        newest: the newest durable timestamp.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.watching = False
        self.newest = 0
        self._limits, self._clock = limits, clock
        self._changes: deque[_Change] = deque()
        self._bytes = 0
        self._since = 0  # changes of commits after this timestamp are all here
        self._until_ns = 0

    def pin(self) -> int:
        """A timestamp to read at for a while; between two batches."""
        if not self.watching:
            self.watching, self._since = True, self.newest
        self._until_ns = self._clock.now_ns() + self._kept_ns
        return self.newest

    def note(self, ts: int, document_id: str, old: Stored | None, new: Stored | None) -> None:
        """Keeps what a commit is about to replace."""
        now_ns = self._clock.now_ns()
        if now_ns > self._until_ns:
            self.forget()
        if not self.watching:
            return
        self._trim(now_ns)
        change = _Change(ts, document_id, old, new)
        self._changes.append(change)
        self._bytes += change.bytes
        if self._bytes > self._limits.snapshot_bytes:
            self.forget()

    def undo_after(self, ts: int) -> None:
        """Drops what commits after this timestamp noted: they were lost."""
        while self._changes and self._changes[-1].ts > ts:
            self._bytes -= self._changes.pop().bytes

    def forget(self) -> None:
        """Lets all timestamps but the newest go."""
        self.watching = False
        self._changes.clear()
        self._bytes = 0

    def look_back(self, overlay: Overlay, ts: int) -> None:
        """Lays over the database what it held at a timestamp.

        Raises:
            SnapshotGone: that is too long ago, or too much has changed since.
            InvalidValue: it is yet to come.
        """
        if ts == self.newest:
            return
        if ts > self.newest:
            raise InvalidValue("this timestamp is newer than the database; ask for one again")
        if not self.watching or ts < self._since or self._clock.now_ns() > self._until_ns:
            raise SnapshotGone(self._limits.snapshot_s)
        for change in reversed(self._changes):
            if change.ts <= ts:
                break
            overlay.put(change.id, change.new, change.old)

    @property
    def _kept_ns(self) -> int:
        return int(self._limits.snapshot_s * 1e9)

    def _trim(self, now_ns: int) -> None:
        """Drops commits older than any pin may be: a pin's commits come after it."""
        while self._changes and self._changes[0].ts < now_ns - self._kept_ns:
            gone = self._changes.popleft()
            self._bytes -= gone.bytes
            self._since = gone.ts
