"""SQLite: the default store, one file in WAL mode with synchronous=FULL, or memory for tests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

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
_MEMORY: Final = ":memory:"
_UP, _DOWN = _SCAN.format("ASC"), _SCAN.format("DESC")


class SqliteStorage:
    """One SQLite database, owned by this process alone.

    Args:
        path: the file, created when missing; None keeps everything in memory.
        image: what a database in memory begins with, as `image()` of another gave it.

    Raises:
        StorageBusy: another process has the file open.
        StorageFailure: the file cannot be opened, or is no SQLite database.
    """

    def __init__(self, path: Path | None = None, image: bytes | None = None) -> None:
        self._name = str(path) if path else _MEMORY
        try:
            self._db = _connect(self._name) if image is None else _restored(image)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise StorageBusy(self._name) from None
            raise StorageFailure(f"{self._name}: {error}") from None
        except sqlite3.DatabaseError as error:
            raise StorageFailure(f"{self._name} cannot be read: {error}") from None
        self._execute = self._db.execute

    def begin(self) -> None:
        """Starts a transaction."""
        self._execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Makes the transaction durable."""
        try:
            self._execute("COMMIT")
        except sqlite3.Error as error:
            self.rollback()
            raise StorageFailure(f"{self._name}: the commit failed: {error}") from error

    def rollback(self) -> None:
        """Drops the transaction."""
        if self._db.in_transaction:
            self._execute("ROLLBACK")

    def document(self, document_id: str) -> bytes | None:
        """A document's body."""
        row = self._execute("SELECT body FROM documents WHERE id = ?", (document_id,)).fetchone()
        return row[0] if row else None

    def scan(self, start: bytes, end: bytes, descending: bool, limit: int) -> Sequence[Entry]:
        """Index entries of a key range."""
        return self._execute(_DOWN if descending else _UP, (start, end, limit)).fetchall()

    def write(self, writes: Writes) -> None:
        """Applies a write set."""
        try:
            self._write(writes)
        except sqlite3.Error as error:
            raise StorageFailure(f"{self._name}: writing failed: {error}") from error

    def _write(self, writes: Writes) -> None:
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

    def drop_entries(self, start: bytes, end: bytes) -> None:
        """Removes the index entries of a key range."""
        self._execute("DELETE FROM entries WHERE key >= ? AND key < ?", (start, end))

    def record(self, name: str) -> bytes | None:
        """A named record."""
        row = self._execute("SELECT body FROM records WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def put_record(self, name: str, body: bytes) -> None:
        """Writes a named record."""
        self._execute("INSERT OR REPLACE INTO records VALUES (?, ?)", (name, body))

    def session_request(self, session_id: str, request_id: int) -> SessionRequest | None:
        """An applied mutation."""
        query = "SELECT * FROM session_requests WHERE session_id = ? AND request_id = ?"
        row = self._execute(query, (session_id, request_id)).fetchone()
        return SessionRequest(*row) if row else None

    def put_session_requests(self, requests: Iterable[SessionRequest]) -> None:
        """Notes applied mutations."""
        rows = [
            (r.session_id, r.request_id, r.fingerprint, r.ts, r.value, r.log_lines)
            for r in requests
        ]
        self._db.executemany("INSERT INTO session_requests VALUES (?, ?, ?, ?, ?, ?)", rows)

    def forget_session_requests(self, before_ts: int) -> None:
        """Removes old notes."""
        self._execute("DELETE FROM session_requests WHERE ts < ?", (before_ts,))

    def image(self) -> bytes:
        """The database as bytes, to begin others in memory with: cheaper than making it anew."""
        return bytes(self._db.serialize())

    def close(self) -> None:
        """Closes the file; what was committed stays."""
        self._db.close()


def _restored(image: bytes) -> sqlite3.Connection:
    db = sqlite3.connect(_MEMORY, isolation_level=None, check_same_thread=False)
    db.deserialize(image)
    return db


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
