"""SQLite: the default store, one file in WAL mode with synchronous=FULL, or memory for tests."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from headwater.core.keys import DOCUMENTS, document_key
from headwater.core.storage import Entry, SessionRequest, Writes
from headwater.errors import StorageBusy, StorageFailure

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS documents (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session_requests (
    session_id TEXT, request_id INTEGER, fingerprint BLOB, ts INTEGER, value BLOB, log_lines BLOB,
    PRIMARY KEY (session_id, request_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_requests_by_ts ON session_requests (ts);
"""
_SCAN: Final = "SELECT key, id FROM entries WHERE key >= ? AND key < ? ORDER BY key {} LIMIT ?"
_COUNT: Final = "SELECT count(*) FROM (SELECT 1 FROM entries WHERE key >= ? AND key < ? LIMIT ?)"
_DROP_SOME: Final = (
    "DELETE FROM entries WHERE key IN "
    "(SELECT key FROM entries WHERE key >= ? AND key < ? ORDER BY key LIMIT ?)"
)
_DROP_DOCUMENTS: Final = (
    "DELETE FROM documents WHERE id IN (SELECT id FROM entries WHERE key >= ? AND key < ?)"
)
_BACKUP_PAGES: Final = 256  # 1 MiB
_MANY: Final = 500  # rows of one write
_RETRY_S: Final = 0.001  # while the engine is in a transaction
_MEMORY: Final = ":memory:"
_UP, _DOWN = _SCAN.format("ASC"), _SCAN.format("DESC")
_SCAN_IDS: Final = "SELECT id FROM documents WHERE id >= ? AND id < ? ORDER BY id {} LIMIT ?"
_IDS_UP, _IDS_DOWN = _SCAN_IDS.format("ASC"), _SCAN_IDS.format("DESC")


P = ParamSpec("P")
R = TypeVar("R")


def _refusable(
    write: Callable[Concatenate[SqliteStorage, P], R],
) -> Callable[Concatenate[SqliteStorage, P], R]:
    """A write whose refusal by the disk is a StorageFailure."""

    @functools.wraps(write)
    def refusable(self: SqliteStorage, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return write(self, *args, **kwargs)
        except sqlite3.Error as error:
            raise StorageFailure(f"{self.name}: writing failed: {error}") from error

    return refusable


@dataclass(frozen=True)
class _Words:
    """How a transaction is begun and ended."""

    begin: str
    commit: str
    rollback: tuple[str, ...]


_TRANSACTION: Final = _Words("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_SAVEPOINT: Final = _Words(
    "SAVEPOINT batch", "RELEASE batch", ("ROLLBACK TO batch", "RELEASE batch")
)


class SqliteStorage:
    """One SQLite database, owned by this process alone.

    Args:
        path: the file, created when missing; None keeps everything in memory.

    Raises:
        StorageBusy: another process has the file open.
        StorageFailure: the file cannot be opened, or is no SQLite database.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.name = str(path) if path else _MEMORY
        try:
            self._db = _connect(self.name)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise StorageBusy(self.name) from None
            raise StorageFailure(f"{self.name}: {error}") from None
        except sqlite3.DatabaseError as error:
            raise StorageFailure(f"{self.name} cannot be read: {error}") from None
        self._execute = self._db.execute
        self._words = _TRANSACTION
        self._open = False
        self._frozen = 0

    @_refusable
    def begin(self) -> None:
        """Starts a transaction."""
        self._execute(self._words.begin)
        self._open = True

    def commit(self) -> None:
        """Makes the transaction durable."""
        try:
            self._execute(self._words.commit)
            self._open = False
        except sqlite3.Error as error:
            self.rollback()
            raise StorageFailure(f"{self.name}: the commit failed: {error}") from error

    def rollback(self) -> None:
        """Drops the transaction."""
        if self._open and self._db.in_transaction:
            for statement in self._words.rollback:
                self._execute(statement)
        self._open = False

    def document(self, document_id: str) -> bytes | None:
        """A document's body."""
        row = self._execute("SELECT body FROM documents WHERE id = ?", (document_id,)).fetchone()
        return row[0] if row else None

    def scan(self, start: bytes, end: bytes, descending: bool, limit: int) -> Sequence[Entry]:
        """Index entries, or documents, of a key range."""
        if start[:1] == DOCUMENTS:
            # latin-1: a client's cursor may hold any bytes, and all of them have a place
            low, high = start[1:].decode("latin-1"), end[1:].decode("latin-1")
            return self._scan_ids(low, high, descending, limit)
        return self._execute(_DOWN if descending else _UP, (start, end, limit)).fetchall()

    def _scan_ids(self, start: str, end: str, descending: bool, limit: int) -> Sequence[Entry]:
        found = self._execute(_IDS_DOWN if descending else _IDS_UP, (start, end, limit))
        return [(document_key(document_id), document_id) for (document_id,) in found]

    @_refusable
    def write(self, writes: Writes) -> None:
        """Applies a write set."""
        if len(writes.documents) + len(writes.entries) > _MANY:
            self._write_many(writes)
            return
        for document_id, body in writes.documents.items():
            if body is None:
                self._execute("DELETE FROM documents WHERE id = ?", (document_id,))
            else:
                self._execute("INSERT OR REPLACE INTO documents VALUES (?, ?)", (document_id, body))
        for key, entry_id in writes.entries.items():
            if entry_id is None:
                self._execute("DELETE FROM entries WHERE key = ?", (key,))
            else:
                self._execute("INSERT OR REPLACE INTO entries VALUES (?, ?)", (key, entry_id))

    def _write_many(self, writes: Writes) -> None:
        """As `write`, without a step of Python for each row: half the time for an import's."""
        put, drop = "INSERT OR REPLACE INTO documents VALUES (?, ?)", "DELETE FROM {} WHERE {} = ?"
        kept = [item for item in writes.documents.items() if item[1] is not None]
        gone = [(name,) for name, body in writes.documents.items() if body is None]
        self._db.executemany(put, kept)
        self._db.executemany(drop.format("documents", "id"), gone)
        entries = [item for item in writes.entries.items() if item[1] is not None]
        dropped = [(key,) for key, entry_id in writes.entries.items() if entry_id is None]
        self._db.executemany(put.replace("documents", "entries"), entries)
        self._db.executemany(drop.format("entries", "key"), dropped)

    def count(self, start: bytes, end: bytes, limit: int) -> int:
        """Index entries of a key range, counted up to a limit."""
        found: int = self._execute(_COUNT, (start, end, limit)).fetchone()[0]
        return found

    @_refusable
    def drop_entries(self, start: bytes, end: bytes, limit: int | None = None) -> int:
        """Removes index entries of a key range."""
        if limit is None:
            return self._execute(
                "DELETE FROM entries WHERE key >= ? AND key < ?", (start, end)
            ).rowcount
        return self._execute(_DROP_SOME, (start, end, limit)).rowcount

    @_refusable
    def drop_documents(self, start: bytes, end: bytes) -> int:
        """Removes the documents of index entries."""
        return self._execute(_DROP_DOCUMENTS, (start, end)).rowcount

    def record(self, name: str) -> bytes | None:
        """A named record."""
        row = self._execute("SELECT body FROM records WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    @_refusable
    def put_record(self, name: str, body: bytes) -> None:
        """Writes a named record."""
        self._execute("INSERT OR REPLACE INTO records VALUES (?, ?)", (name, body))

    def session_request(self, session_id: str, request_id: int) -> SessionRequest | None:
        """An applied mutation."""
        query = "SELECT * FROM session_requests WHERE session_id = ? AND request_id = ?"
        row = self._execute(query, (session_id, request_id)).fetchone()
        return SessionRequest(*row) if row else None

    @_refusable
    def put_session_requests(self, requests: Iterable[SessionRequest]) -> None:
        """Notes applied mutations."""
        rows = [
            (r.session_id, r.request_id, r.fingerprint, r.ts, r.value, r.log_lines)
            for r in requests
        ]
        self._db.executemany("INSERT INTO session_requests VALUES (?, ?, ?, ?, ?, ?)", rows)

    @_refusable
    def forget_session_requests(self, before_ts: int) -> None:
        """Removes old notes."""
        self._execute("DELETE FROM session_requests WHERE ts < ?", (before_ts,))

    def snapshot(self, path: Path, tell: Callable[[int, int], None]) -> SqliteStorage:
        """A copy by SQLite's backup: some pages at a time, between the transactions of the engine.

        What the engine writes meanwhile goes into the copy too, so that at its end the copy is the
        database at that moment. (The engine's connection is the only one the file may have.)
        """

        def told(_status: int, remaining: int, total: int) -> None:
            tell(total - remaining, total)

        with closing(sqlite3.connect(path)) as copy:
            copy.execute("PRAGMA synchronous = OFF")  # it is thrown away with this process
            self._db.backup(copy, pages=_BACKUP_PAGES, progress=told, sleep=_RETRY_S)
        return SqliteStorage(path)

    def freeze(self) -> None:
        """From here on nothing is kept for good: `rewind` comes back to what is there now, the last
        time that this was called.

        For tests, which all begin with the same database: cheaper than making it anew.
        """
        self._execute("SAVEPOINT frozen" if self._frozen else "BEGIN")
        self._frozen += 1
        self._words = _SAVEPOINT

    def rewind(self) -> None:
        """Back to where it was frozen."""
        if self._frozen > 1:
            self._execute("ROLLBACK TO frozen")
        else:
            self._execute("ROLLBACK")
            self._execute("BEGIN")
        self._open = False

    def close(self) -> None:
        """Closes the file; what was committed stays."""
        self._db.close()


def _connect(name: str) -> sqlite3.Connection:
    # isolation_level=None: the engine itself says BEGIN and COMMIT.
    db = sqlite3.connect(name, isolation_level=None, timeout=0.0, check_same_thread=False)
    try:
        if name != _MEMORY:
            # One owner: the lock is held until the process ends, even by kill -9.
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
        db.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";\n"):
            db.execute(statement)
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db
