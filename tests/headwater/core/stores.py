"""A database without an engine: one table of tasks, on SQLite in memory."""

from __future__ import annotations

from typing import Any

from headwater.clock import VirtualClock
from headwater.core import requests
from headwater.core.commits import Commit, CommitLog
from headwater.core.database import Database
from headwater.core.manifest import IndexSpec, Manifest, TableSpec
from headwater.core.migration import adopt
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.transaction import Transaction
from headwater.core.validators import Field, Number, Object, String
from headwater.settings import Limits

TASKS = TableSpec(
    "tasks",
    Object({"title": Field(String()), "rank": Field(Number(), True)}),
    (IndexSpec("by_title", ("title",)), IndexSpec("by_rank", ("rank", "title"))),
)
MANIFEST = Manifest({"tasks": TASKS})


def database_of(
    manifest: Manifest = MANIFEST, limits: Limits | None = None, clock: VirtualClock | None = None
) -> Database:
    """An empty database that serves a manifest."""
    database = Database(SqliteStorage(), clock or VirtualClock(), limits or Limits())
    adopt(database, manifest)
    return database


class Store:
    """A database and its commit log; writes are committed one by one."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.database = database_of(limits=limits)
        self.log = CommitLog(self.database)

    def begin(self, writable: bool = True, journal: list[str] | None = None) -> Transaction:
        """A transaction."""
        return Transaction(self.database, now_ms=1000.0, writable=writable, journal=journal)

    def keep(self, transaction: Transaction) -> Commit:
        """Commits what a transaction wrote."""
        transaction.finish()
        self.log.apply(transaction.overlay.write_set())
        return self.log.commit()

    def insert(self, title: str, **fields: Any) -> str:
        """A committed task; gives its id."""
        transaction = self.begin()
        document_id: str = transaction.answer(requests.Insert("tasks", {"title": title, **fields}))
        self.keep(transaction)
        return document_id

    def titles(self, wanted: requests.Range | None = None) -> list[str]:
        """The titles in a range, in its order."""
        batch = self.begin(writable=False).answer(
            requests.Scan(wanted or requests.Range("tasks"), None)
        )
        return [stored.value["title"] for stored in batch.documents]
