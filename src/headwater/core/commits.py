"""Commits: write sets with their timestamp, made durable as a group."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from headwater.core.cursors import KEY_BYTES
from headwater.core.database import SEAL_RECORD, Database
from headwater.core.overlay import WriteSet
from headwater.core.storage import SessionRequest

_RECORD = "last_ts"
_DAY_NS = 86_400 * 1_000_000_000


@dataclass
class Commit:
    """What one batch changed.

    Attributes:
        ts: its timestamp, nanoseconds since 1970, higher than any before.
        keys: the index and document keys it touched, old and new.
    """

    ts: int
    keys: set[bytes] = field(default_factory=set)


class CommitLog:
    """The one writer: applies write sets of a batch and commits them together.

    Attributes:
        last_ts: the newest timestamp this database gave out; never more than what is durable.
        notice: is told of every write set, if anybody wants to know.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        record = database.storage.record(_RECORD)
        self.last_ts = database.snapshots.newest = int(record) if record else 0
        self._pending: Commit | None = None
        self._forgotten_ns = 0
        self.notice: Callable[[WriteSet], None] | None = None
        if not self.last_ts or database.storage.record(SEAL_RECORD) is None:
            self.begin()
            database.storage.put_record(SEAL_RECORD, database.clock.secret(KEY_BYTES))
            self.commit()

    @property
    def open(self) -> Commit | None:
        """The commit being gathered, None outside a batch."""
        return self._pending

    def begin(self) -> Commit:
        """Starts a batch's commit, or goes on with the one that is open."""
        if self._pending is None:
            self._database.storage.begin()
            self._pending = Commit(max(self.last_ts + 1, self._database.clock.now_ns()))
        return self._pending

    def apply(self, write_set: WriteSet) -> None:
        """Adds a finished mutation's writes to the open commit; later reads of the batch see them.

        Raises:
            StorageFailure: the whole batch is lost; call `abort`.
        """
        commit = self.begin()
        snapshots = self._database.snapshots
        if snapshots.watching:
            for document_id, stored in write_set.documents.items():
                old = self._database.peek(document_id)
                snapshots.note(commit.ts, document_id, old, stored)
        self._database.storage.write(write_set.writes)
        commit.keys |= write_set.keys
        if self.notice is not None:
            self.notice(write_set)
        for document_id, stored in write_set.documents.items():
            self._database.forget(document_id)
            if stored is not None:
                self._database.remember(stored)

    def note_requests(self, requests: Iterable[SessionRequest]) -> None:
        """Remembers applied mutations in the same commit, so that re-sent ones are recognised."""
        self.begin()
        self._database.storage.put_session_requests(requests)

    def commit(self) -> Commit:
        """Makes the open commit durable.

        Raises:
            StorageFailure: nothing of the batch was kept.
        """
        commit = self.begin()
        database = self._database
        try:
            database.clock.fault("commit")
            if database.catalog.changed:
                database.catalog.save(database.storage)
            database.storage.put_record(_RECORD, str(commit.ts).encode())
            self._forget_old(commit.ts)
            database.storage.commit()
        except BaseException:
            self.abort()
            raise
        self.last_ts = database.snapshots.newest = commit.ts
        self._pending = None
        return commit

    def abort(self) -> None:
        """Drops the open commit."""
        self._pending = None
        self._database.snapshots.undo_after(self.last_ts)
        self._database.storage.rollback()
        self._database.reset()

    def _forget_old(self, now_ns: int) -> None:
        if now_ns - self._forgotten_ns < _DAY_NS:
            return
        days = self._database.limits.session_request_days
        self._database.storage.forget_session_requests(int(now_ns - days * _DAY_NS))
        self._forgotten_ns = now_ns
