"""A trusted host for handlers that run elsewhere: a whole runtime with a database in memory, a
clock moved by hand, and every count taken on this side. What graders and other tools stand on that
must never import a stranger's code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from headwater.clock import VirtualClock
from headwater.core import jobs, values
from headwater.core.calls import Call, Outcome, Placement
from headwater.core.database import Database
from headwater.core.failures import Failure
from headwater.core.identity import identity_of
from headwater.core.manifest import (
    CronSpec,
    FunctionKind,
    FunctionSpec,
    IndexSpec,
    Manifest,
    TableSpec,
)
from headwater.core.migration import documents
from headwater.core.names import python_name, wire_name
from headwater.core.requests import Delete, Insert, Page, Patch, Range, Scan
from headwater.core.transaction import Transaction
from headwater.core.validators import Object
from headwater.observed import Change, Committed, Observed, Observer, Seen
from headwater.pipe import WorkerFailed
from headwater.runtime import Endless, Followed, Runtime, spares_of
from headwater.settings import DEV_ISSUER, Limits

__all__ = [
    "DEV_ISSUER",
    "Change",
    "Committed",
    "CronSpec",
    "Endless",
    "Failure",
    "Followed",
    "FunctionKind",
    "FunctionSpec",
    "Host",
    "HostCall",
    "IndexSpec",
    "Job",
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
_action: ContextVar[Seen | None] = ContextVar("headwater_host_action", default=None)


@dataclass(frozen=True)
class HostCall:
    """How one call ended, as the host counted it.

    Attributes:
        value: the decoded result, None for a failed call.
        entered: the arguments fitted and the handler was asked for.
        documents_read: documents given to the handler (a streamed scan counts as far as it came).
        documents_written: inserts, patches, replaces and deletes.
        ranges: the index ranges it asked for, in order.
        changes: what it committed, in order.
        seconds: how long it took, by the wall clock.
    """

    value: Any
    failure: Failure | None
    entered: bool
    documents_read: int
    documents_written: int
    log_lines: tuple[str, ...]
    ranges: tuple[Range, ...] = ()
    changes: tuple[Change, ...] = ()
    seconds: float = 0.0

    @property
    def data(self) -> Any:
        """What an AppError carried; None for other endings."""
        failure = self.failure
        return None if failure is None or failure.data is None else values.decode(failure.data)

    @property
    def rule(self) -> str:
        """The id of the rule it broke while it ran; empty when it broke none."""
        finding = self.failure.finding if self.failure is not None and self.entered else None
        return "" if finding is None else finding.code


@dataclass(frozen=True)
class Job:
    """A scheduled call.

    Attributes:
        due_ms: when, ms since 1970.
        state: pending, inProgress, success, failed or canceled.
    """

    path: str
    arguments: dict[str, Any]
    due_ms: float
    state: str


class Host:
    """One empty database in memory, and a backend whose handlers run in `placement`."""

    def __init__(
        self, placement: Placement, *, seed: int = 0, limits: Limits | None = None
    ) -> None:
        self.clock = VirtualClock(seed)
        self._placement = placement
        self._observer = Observer(lambda: self._database)
        observed = Observed(placement, self._observer)
        spares = spares_of(placement)
        self._runtime = Runtime(observed, self.clock, limits or Limits(), spares)
        self._runtime.submit = self._submit
        engine = self._runtime.engine
        engine.before_call, engine.on_call = self._observer.before_call, self._observer.on_call
        engine.on_commit = self._observer.on_commit

    @property
    def _database(self) -> Database:
        return self._runtime.engine.database

    @property
    def manifest(self) -> Manifest:
        """The backend as plain data."""
        return self._placement.manifest

    # calls

    def call(
        self,
        path: str,
        kind: FunctionKind,
        arguments: Any,
        identity: dict[str, Any] | None = None,
        *,
        internal: bool = False,
    ) -> HostCall:
        """Calls a function as a client would: by wire path, with a wire object.

        Args:
            internal: as the scheduler would: it reaches internal functions too.
        """
        call = Call(path, kind, values.normalize(arguments), identity, internal=internal)
        began, seen = perf_counter(), Seen()
        self._observer.expect(call, seen)
        token = _action.set(seen if kind == "action" else None)
        try:
            outcome = self._runtime.run(call)
        finally:
            _action.reset(token)
            self._observer.forget(call)
        return _host_call(outcome, seen, perf_counter() - began)

    def _submit(self, call: Call, reply: Callable[[Outcome, int], None]) -> None:
        """A step of an action: what it does is the action's doing."""
        seen = _action.get()
        if seen is not None:
            self._observer.expect(call, seen)
        try:
            self._runtime.execute(call, reply)
        finally:
            self._observer.forget(call)

    def follow(self, path: str, arguments: Any, identity: dict[str, Any] | None = None) -> Followed:
        """Follows a query as a connected client does, until it is closed."""
        call = Call(path, "query", values.normalize(arguments), identity)
        return Followed(self._runtime, call)

    def taken_failure(self) -> WorkerFailed | None:
        """Why a worker had to be ended since this was last asked; None when none had to."""
        error, self._observer.broken = self._observer.broken, None
        return error

    @property
    def commits(self) -> list[Committed]:
        """What functions have committed, in order; by themselves, too."""
        return self._observer.commits

    @property
    def entered(self) -> dict[str, int]:
        """How often each function's handler was asked for, by path."""
        return self._observer.entered

    # time

    @property
    def now_ms(self) -> float:
        """The time, ms since 1970."""
        return self.clock.now_ns() / 1e6

    def advance(self, ms: float) -> None:
        """Moves the clock forward and runs what is due on the way, each at its time.

        Raises:
            Endless: more and more is due.
        """
        self._runtime.advance(ms)

    def settle(self, most: int) -> None:
        """Runs every scheduled call, and those they schedule, moving the clock to each.

        Raises:
            Endless: there are more than `most`.
        """
        self._runtime.finish_scheduled(most)

    def jobs(self) -> list[Job]:
        """The scheduled calls, in the order in which they were scheduled."""
        found = documents(self._database, jobs.TABLE)
        return [
            Job(jobs.job_path(job), each["args"][0], each["scheduledTime"], jobs.state_of(job))
            for job in found
            for each in [job.own_value()]
        ]

    def restart(self) -> None:
        """Ends the process that runs the handlers and starts another; what was committed is there,
        and nothing else is left.
        """
        self._restart_worker()
        self._runtime.restart()

    def reload(self) -> None:
        """Loads the backend anew, as when a file was saved."""
        self._restart_worker()
        self._runtime.reload(Observed(self._placement, self._observer))

    def _restart_worker(self) -> None:
        restart = getattr(self._placement, "restart", None)
        if restart is not None:  # handlers in this process have none of their own
            restart()

    # faults

    @contextmanager
    def refusing_write(self, nth: int) -> Iterator[None]:
        """Refuses the nth write of each call, from 1, for a while."""
        before, self._observer.refused = self._observer.refused, nth
        try:
            yield
        finally:
            self._observer.refused = before

    @contextmanager
    def watching(self, watch: Callable[[], None]) -> Iterator[None]:
        """Has `watch` called after every commit of functions, for a while; it may make calls."""
        self._observer.watchers.append(watch)
        try:
            yield
        finally:
            self._observer.watchers.remove(watch)

    # documents

    def insert(self, table: str, rows: Sequence[dict[str, Any]]) -> list[str]:
        """Stores documents without any function of the backend; gives their ids.

        Raises:
            DocumentInvalid: one does not fit the table as the backend declares it.
        """
        ids: list[str] = []
        for start in range(0, len(rows), _BATCH):
            some = [values.normalize(row) for row in rows[start : start + _BATCH]]

            def step(transaction: Transaction, some: list[Any] = some) -> list[str]:
                return [transaction.answer(Insert(table, row)) for row in some]

            ids += self._runtime.transact(step)
        return ids

    def patch(self, document_id: str, changes: dict[str, Any]) -> None:
        """Changes a document without any function of the backend.

        Raises:
            DocumentInvalid: it does not fit the table any more.
            DocumentMissing: there is none.
        """
        request = Patch(document_id, values.normalize(changes))
        self._runtime.transact(lambda transaction: transaction.answer(request))

    def delete(self, ids: Sequence[str]) -> None:
        """Deletes documents without any function of the backend, all in one transaction."""

        def step(transaction: Transaction) -> None:
            for document_id in ids:
                transaction.answer(Delete(document_id))

        self._runtime.transact(step)

    def fields(self, table: str) -> frozenset[str]:
        """The fields a table declares; none for a table that nothing declares."""
        shape = self.manifest.table(table).document
        return frozenset(shape.fields) if isinstance(shape, Object) else frozenset()

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
        self._runtime.close()


def _host_call(outcome: Outcome, seen: Seen, seconds: float) -> HostCall:
    return HostCall(
        value=None if outcome.value is None else values.decode(outcome.value),
        failure=outcome.failure,
        entered=outcome.entered,
        documents_read=seen.documents_read,
        documents_written=seen.documents_written,
        log_lines=tuple(outcome.log_lines),
        ranges=tuple(each.range for each in seen.requests if isinstance(each, Scan | Page)),
        changes=tuple(seen.changes),
        seconds=seconds,
    )
