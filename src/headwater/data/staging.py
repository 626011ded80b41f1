"""Where an import's documents lie, checked and ready, until all of them go in together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from headwater.core.storage import Writes

_CHUNK = 1_000


class Staging:
    """A file of its own beside the database, thrown away in the end whatever happens."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",  # after a crash it is not read again
            "CREATE TABLE documents (id TEXT PRIMARY KEY, body BLOB, given INTEGER) WITHOUT ROWID",
            "CREATE TABLE entries (key BLOB PRIMARY KEY, id TEXT) WITHOUT ROWID",
            "BEGIN",
        ):
            self._db.execute(statement)

    def add(self, document_id: str, body: bytes, keys: Iterable[bytes], *, given: bool) -> bool:
        """Takes a document with its index keys; False when its id came before.

        Args:
            document_id: its id.
            body: its encoding.
            keys: of its entries.
            given: the id was in the file, and may be one that is known here.
        """
        row = (document_id, body, given)
        added = self._db.execute("INSERT OR IGNORE INTO documents VALUES (?, ?, ?)", row).rowcount
        if added:
            rows = [(key, document_id) for key in keys]
            self._db.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", rows)
        return bool(added)

    def writes(self) -> Iterator[Writes]:
        """All of it, some at a time."""
        documents = self._db.execute("SELECT id, body FROM documents")
        while rows := documents.fetchmany(_CHUNK):
            yield Writes(documents=dict(rows))
        entries = self._db.execute("SELECT key, id FROM entries")
        while rows := entries.fetchmany(_CHUNK):
            yield Writes(entries=dict(rows))

    def given_ids(self) -> Iterator[str]:
        """The ids that were in the file."""
        for row in self._db.execute("SELECT id FROM documents WHERE given"):
            yield row[0]

    def close(self) -> None:
        """Throws it away."""
        self._db.close()
        self._path.unlink(missing_ok=True)
