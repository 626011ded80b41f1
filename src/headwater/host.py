"""A trusted host for handlers that run elsewhere: a whole runtime with a database in memory, a
clock moved by hand, and every count taken on this side. What graders and other tools stand on that
must never import a stranger's code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from random import Random
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
from headwater.core.work import Execute
from headwater.errors import InvalidStorageId
from headwater.host_calls import HostCall, HttpAnswer, Job, Wanted
from headwater.observed import Change, Committed, Observed, Observer, Seen
from headwater.rehearsal import Rehearsal, rehearsed
from headwater.runtime import Endless, Followed, Runtime, Spares, spares_of
from headwater.settings import DEV_ISSUER, Limits
from headwater.testing_routes import answer_to
from headwater.turns import Turns

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
    "HttpAnswer",
    "IndexSpec",
    "Job",
    "Kept",
    "Manifest",
    "Page",
    "Range",
    "Rehearsal",
    "Scan",
    "TableSpec",
    "identity_of",
    "python_name",
    "wire_name",
]

_BATCH = 2_000  # documents of one host transaction, below the limit of what one may write
_action: ContextVar[Seen | None] = ContextVar("headwater_host_action", default=None)


@dataclass(frozen=True)
class Kept:
    """What a host had stored, and the time and chance it had come to; others go on from there."""

    spares: Spares
    clock: VirtualClock

    @property
    def free(self) -> bool:
        """Whether the host that stored it is closed, and no other one goes on from it."""
        return bool(self.spares.storages)


class Host:
    """One database in memory, and a backend whose handlers run in `placement`.

    Args:
        placement: where handlers run.
        seed: decides every id and random number.
        limits: those of functions.
        kept: what it begins with, made by a host of the same tables and crons; nothing by default.
    """

    def __init__(
        self,
        placement: Placement,
        *,
        seed: int = 0,
        limits: Limits | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.clock = VirtualClock(seed) if kept is None else kept.clock.copy()
        self._placement = placement
        self._observer = Observer(lambda: self._database)
        observed = Observed(placement, self._observer)
        spares = spares_of(placement) if kept is None else kept.spares
        self._runtime = Runtime(observed, self.clock, limits or Limits(), spares)
        self._runtime.submit = self._submit
        self._turns: Turns | None = None
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
        return HostCall.of(outcome, seen, perf_counter() - began)

    def http(
        self, method: str, path: str, options: dict[str, Any], identity: dict[str, Any] | None
    ) -> tuple[HostCall, HttpAnswer]:
        """Sends a request to the routes of `backend/routes.py`, as a client does; gives how it
        ended, and the answer.

        Args:
            method: such as `POST`.
            path: such as `/hooks/payments`.
            options: as httpx has them.
            identity: what the request's token proves.

        Raises:
            HeadwaterError: the backend has no such file.
        """
        began, seen = perf_counter(), Seen()
        token = _action.set(seen)
        try:
            outcome, answer = answer_to(self._runtime.actions, identity, method, path, options)
        finally:
            _action.reset(token)
        ended = HostCall.of(outcome, seen, perf_counter() - began)
        return ended, HttpAnswer(answer.status_code, dict(answer.headers), answer.content)

    def _submit(self, call: Call, reply: Callable[[Outcome, int], None]) -> None:
        """A step of an action: what it does is the action's doing."""
        step = partial(self._step, call, reply, _action.get())
        if self._turns is None:
            step()
        else:
            self._turns.wait(step)

    def _step(self, call: Call, reply: Callable[[Outcome, int], None], seen: Seen | None) -> None:
        if seen is not None:
            self._observer.expect(call, seen)
        try:
            self._runtime.execute(call, reply)
        finally:
            self._observer.forget(call)

    def together(
        self, kind: FunctionKind, wanted: Sequence[Wanted], order: Random
    ) -> list[HostCall]:
        """Calls made at the same time: mutations in one batch, actions step by step among each
        other, both in an order by chance. Gives how each ended, as they were given.
        """
        calls = [Call(path, kind, values.normalize(given), who) for path, given, who in wanted]
        if kind == "action":
            return asyncio.run(self._actions_together(calls, order))
        seen = [Seen() for _ in calls]
        ended: dict[int, Outcome] = {}

        def keep(number: int, outcome: Outcome, _ts: int) -> None:
            ended[number] = outcome

        for call, each in zip(calls, seen, strict=True):
            self._observer.expect(call, each)
        works = [Execute(call, partial(keep, number)) for number, call in enumerate(calls)]
        order.shuffle(works)
        self._runtime.process(*works)
        for call in calls:
            self._observer.forget(call)
        return [HostCall.of(ended[n], each, each.seconds) for n, each in enumerate(seen)]

    async def _actions_together(self, calls: list[Call], order: Random) -> list[HostCall]:
        async def one(call: Call) -> HostCall:
            seen, began = Seen(), perf_counter()
            _action.set(seen)  # in this task alone
            outcome = await self._runtime.actions.run(call)
            return HostCall.of(outcome, seen, perf_counter() - began)

        self._turns = Turns(order)
        try:
            return await asyncio.gather(*map(one, calls))
        finally:
            self._turns = None

    def rehearse(
        self, kind: FunctionKind, wanted: Wanted, stages: Sequence[tuple[Placement, int]]
    ) -> list[Rehearsal]:
        """Runs a query or mutation in several places on the same data, at the same time and with
        the same chance, and keeps nothing of it.

        Args:
            stages: where, and how many times; the last time counts.

        Raises:
            ValueError: an action, of which nothing could be taken back.
        """
        if kind == "action":
            raise ValueError("an action cannot be rehearsed: what it did outside stays done")
        path, given, who = wanted
        call = Call(path, kind, values.normalize(given), who)
        found: list[Rehearsal] = []
        for placement, runs in stages:
            for _ in range(runs):
                with self.clock.repeating():
                    rehearsal, broken = rehearsed(self._database, placement, call)
                self._observer.broken = self._observer.broken or broken
            found.append(rehearsal)
        self._placement.attach(self._database)
        return found

    def follow(self, path: str, arguments: Any, identity: dict[str, Any] | None = None) -> Followed:
        """Follows a query as a connected client does, until it is closed."""
        call = Call(path, "query", values.normalize(arguments), identity)
        return Followed(self._runtime, call)

    def taken_failure(self) -> Exception | None:
        """Why a worker had to be ended, or what a watcher raised, since this was last asked; None
        when neither happened.
        """
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
        return self.clock.now_ms()

    def advance(self, ms: float) -> None:
        """Moves the clock forward and runs what is due on the way, each at its time.

        Raises:
            Endless: more and more is due.
        """
        self._runtime.advance(ms)

    def sleep(self, ms: float) -> None:
        """Moves the clock forward as over a sleeping machine: only then it runs what is due, and a
        cron that is late once.

        Raises:
            Endless: more and more is due.
        """
        self.clock.advance(ms)
        self._runtime.advance(0)

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
        """Has `watch` called after every commit of functions, for a while; it may make calls. What
        it raises ends no call: `taken_failure` has it.
        """
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

    # files

    def upload(self, url: str, content: bytes, content_type: str | None = None) -> str:
        """A file sent to an upload URL; gives its storage id.

        Raises:
            InvalidUploadToken: the URL has expired, or is none of this host.
            FileInvalid: the file is too large, or its content type is none.
        """
        return self._runtime.upload(url, content, content_type)

    def download(self, url: str) -> bytes | None:
        """What a file's URL gives, None when the file is gone."""
        try:
            found = self._runtime.download(url)
        except InvalidStorageId:
            return None
        return None if found is None else found.content

    def keep(self) -> Kept:
        """What is stored now, for other hosts to begin with once this one is closed."""
        return Kept(self._runtime.keep(), self.clock.copy())

    def close(self) -> None:
        """Lets the database go; the placement is its maker's to end."""
        self._runtime.close()
