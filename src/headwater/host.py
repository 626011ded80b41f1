"""A trusted host for handlers that run elsewhere: an in-memory database, a clock moved by hand, and
every count taken on this side. What graders and other tools stand on that must never import a
stranger's code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headwater.clock import VirtualClock
from headwater.core import values
from headwater.core.calls import Call, Calls, Outcome, Placement
from headwater.core.commits import CommitLog
from headwater.core.database import Database
from headwater.core.failures import Failure
from headwater.core.identity import identity_of
from headwater.core.manifest import FunctionKind, FunctionSpec, IndexSpec, Manifest, TableSpec
from headwater.core.migration import adopt, documents
from headwater.core.names import python_name, wire_name
from headwater.core.requests import Delete, Insert, Page, Range, Scan
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.transaction import Transaction
from headwater.settings import Limits

__all__ = [
    "Failure",
    "FunctionKind",
    "FunctionSpec",
    "Host",
    "HostCall",
    "IndexSpec",
    "Manifest",
    "Page",
    "Range",
    "Scan",
    "TableSpec",
    "identity_of",
    "python_name",
    "wire_name",
]

_BATCH = 2_000  # documents of one host transaction, below the limit of what one may write


@dataclass(frozen=True)
class HostCall:
    """How one call ended, as the host counted it.

    Attributes:
        value: the decoded result, None for a failed call.
        entered: the arguments fitted and the handler was asked for.
        documents_read: documents given to the handler (a streamed scan counts as far as it came).
        documents_written: inserts, patches, replaces and deletes.
    """

    value: Any
    failure: Failure | None
    entered: bool
    documents_read: int
    documents_written: int
    log_lines: tuple[str, ...]


class Host:
    """One empty database in memory, and a backend whose handlers run in `placement`."""

    def __init__(
        self, placement: Placement, *, seed: int = 0, limits: Limits | None = None
    ) -> None:
        self.clock = VirtualClock(seed)
        self._limits = limits or Limits()
        self._database = Database(SqliteStorage(), self.clock, self._limits)
        self._placement = placement
        self._commits = CommitLog(self._database)
        self._calls = Calls(self._database, placement)
        adopt(self._database, placement.manifest)
        placement.attach(self._database)

    @property
    def manifest(self) -> Manifest:
        """The backend as plain data."""
        return self._placement.manifest

    def call(
        self,
        path: str,
        kind: FunctionKind,
        arguments: Any,
        identity: dict[str, Any] | None = None,
    ) -> HostCall:
        """Calls a public function as a client would: by wire path, with a wire object."""
        normal = values.normalize(arguments)
        outcome = self._calls.run(Call(path, kind, normal, identity))
        if outcome.failure is None and outcome.write_set.keys:
            self._commits.apply(outcome.write_set)
            self._commits.commit()
        return _host_call(outcome)

    def insert(self, table: str, rows: Sequence[dict[str, Any]]) -> list[str]:
        """Stores documents without any function of the backend; gives their ids.

        Raises:
            DocumentInvalid: one does not fit the table as the backend declares it.
        """
        ids: list[str] = []
        for start in range(0, len(rows), _BATCH):
            now_ms = self.clock.now_ns() / 1e6
            transaction = Transaction(self._database, now_ms=now_ms, writable=True)
            for row in rows[start : start + _BATCH]:
                ids.append(transaction.answer(Insert(table, values.normalize(row))))
            self._commits.apply(transaction.overlay.write_set())
            self._commits.commit()
        return ids

    def delete(self, ids: Sequence[str]) -> None:
        """Deletes documents without any function of the backend, all in one transaction."""
        now_ms = self.clock.now_ns() / 1e6
        transaction = Transaction(self._database, now_ms=now_ms, writable=True)
        for document_id in ids:
            transaction.answer(Delete(document_id))
        self._commits.apply(transaction.overlay.write_set())
        self._commits.commit()

    def misfit(self, table: str, document: dict[str, Any]) -> str | None:
        """Why a document does not fit the table as the backend declares it, None when it does."""
        table_of = self._database.catalog.table_of
        shape = self.manifest.table(table).document
        found = shape.check(values.normalize(document), table_of)
        return None if found is None else str(found)

    def documents(self, table: str) -> list[dict[str, Any]]:
        """All documents of a table, in the order of their creation."""
        return [stored.own_value() for stored in documents(self._database, table)]

    def document(self, document_id: str) -> dict[str, Any] | None:
        """One stored document, with its system fields."""
        stored = self._database.document(document_id)
        return None if stored is None else stored.own_value()

    def stored_bytes(self, document_id: str) -> int:
        """The encoded size of one stored document; 0 when there is none."""
        stored = self._database.document(document_id)
        return 0 if stored is None else len(stored.body)

    def close(self) -> None:
        """Lets the database go; the placement is its maker's to end."""
        self._database.storage.close()


def _host_call(outcome: Outcome) -> HostCall:
    return HostCall(
        value=None if outcome.value is None else values.decode(outcome.value),
        failure=outcome.failure,
        entered=outcome.entered,
        documents_read=outcome.counters.documents_read,
        documents_written=outcome.counters.documents_written,
        log_lines=tuple(outcome.log_lines),
    )
