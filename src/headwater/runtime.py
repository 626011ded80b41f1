"""A whole runtime inside the caller: engine, scheduler, crons, subscriptions and files over a
database in memory, its clock moved by hand. What tests and trusted hosts stand on; no server.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast
from urllib.parse import parse_qs, urlsplit
from weakref import WeakKeyDictionary

import orjson

from headwater.clock import VirtualClock
from headwater.core import values
from headwater.core.actions import ActionHost, Submit
from headwater.core.calls import Call, Outcome, Placement
from headwater.core.catalog import Catalog
from headwater.core.context_storage import ActionStorage, Blob
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.failures import Failure
from headwater.core.job_queue import JobQueue
from headwater.core.protocol import AddQuery, Connect, ModifyQuerySet, RemoveQuery
from headwater.core.session import Close, Session
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.transaction import Transaction
from headwater.core.work import Execute, FromClient, Left, Reload, RunDue, Transact, Work
from headwater.files import Files
from headwater.settings import Limits

R = TypeVar("R")

_RUNS: Final = 10_000


class Endless(RuntimeError):
    """Scheduled calls that never come to an end."""

    def __init__(self, runs: int) -> None:
        super().__init__(
            f"{runs:,} scheduled calls were run and more are due: does one schedule itself again "
            "without a delay?"
        )


@dataclass
class Spares:
    """Databases that have adopted one placement's manifest, to begin with: cheaper than making each
    anew. They are all alike, and empty unless `Runtime.keep` made them.

    Attributes:
        last_creation_time: that of their newest document, ms since 1970.
    """

    catalog: Catalog | None = None
    storages: list[SqliteStorage] = field(default_factory=list)
    last_creation_time: float = 0.0


_spares: WeakKeyDictionary[Any, Spares] = WeakKeyDictionary()


def spares_of(placement: Any) -> Spares:
    """The empty databases of a placement."""
    return _spares.setdefault(placement, Spares())


class Runtime:
    """The engine of one backend, run inside the caller.

    Args:
        placement: where handlers run.
        clock: time and chance.
        limits: its limits.
        spares: where its database is taken from, and goes when it is closed.

    Attributes:
        last: how the last call ended.
        submit: takes each query and mutation that an action runs; at once, by default.
    """

    def __init__(
        self, placement: Placement, clock: VirtualClock, limits: Limits, spares: Spares
    ) -> None:
        self.clock, self.last = clock, Outcome()
        self._placement, self._spares = placement, spares
        self.submit: Submit = self.execute
        self.followed: list[Followed] = []
        self._sessions = 0
        self._storage = spares.storages.pop() if spares.storages else None
        catalog = spares.catalog.copy() if self._storage and spares.catalog else None
        fresh = self._storage is None
        self._storage = self._storage or SqliteStorage()
        self.files = Files.in_memory(clock, limits)
        database = Database(self._storage, clock, limits, catalog)
        database.last_creation_time = spares.last_creation_time
        self.engine = self._new_engine(database)
        if fresh:
            self._storage.freeze()
        spares.catalog = spares.catalog or self.engine.database.catalog.copy()
        if placement.manifest.crons:
            self.engine.resume()

    def _new_engine(self, database: Database) -> Engine:
        database.files = self.files
        engine = Engine(database, self._placement)
        self._started: list[Call] = []
        engine.background.start_action = self._started.append

        def submit(call: Call, reply: Callable[[Outcome, int], None]) -> None:
            self.submit(call, reply)

        self.actions = ActionHost(database, engine.calls, submit, self.process)
        return engine

    def restart(self) -> None:
        """As if the server was killed and started again: what was committed is there, clients
        connect again, and nothing else is left.
        """
        before = self.engine
        assert self._storage is not None
        database = Database(self._storage, self.clock, before.database.limits)
        self.engine = self._new_engine(database)
        self.engine.on_call, self.engine.on_commit = before.on_call, before.on_commit
        self.engine.before_call = before.before_call
        self.engine.resume()
        for followed in self.followed:
            followed.connect()

    def reload(self, placement: Placement) -> None:
        """Serves another load of the backend from now on.

        Raises:
            SchemaMismatch: what is stored does not fit it; the one before stays.
        """
        errors: list[BaseException | None] = []
        self.process(Reload(lambda: placement, errors.append))
        while not errors:
            for output in self.engine.tend():
                output.send()
        if errors[0] is not None:
            raise errors[0]

    # time

    def advance(self, ms: float) -> None:
        """Moves the clock, running what is due on the way.

        Raises:
            Endless: more and more is due.
        """
        end_ms = self._queue.now_ms + ms
        for _ in range(_RUNS):
            next_ms = self._queue.next_ms()
            if next_ms > end_ms:
                self.clock.advance_to(end_ms)
                return
            self.clock.advance_to(next_ms)
            self._run_due()
        raise Endless(_RUNS)

    def finish_scheduled(self, most: int | None = None) -> None:
        """Moves the clock from one scheduled call to the next, until none is left.

        Raises:
            Endless: there are more than `most`, or than any test runs.
        """
        for _ in range(most or _RUNS):
            if self._queue.next_job().job is None:
                return
            self.clock.advance_to(self._queue.next_ms())
            self._run_due()
        raise Endless(most or _RUNS)

    @property
    def _queue(self) -> JobQueue:
        return self.engine.background.queue

    def _run_due(self) -> None:
        self.process(RunDue())
        while self._started:
            call = self._started.pop(0)
            outcome = asyncio.run(self.actions.run(call))
            self.process(self.engine.background.ended(call, outcome))

    # calls

    def process(self, *works: Work) -> None:
        """One batch, its outputs sent at once."""
        for output in self.engine.process(works):
            output.send()

    def run(self, call: Call) -> Outcome:
        """One call to its end."""
        if call.kind == "action":
            self.last = asyncio.run(self.actions.run(call))
        else:
            self.execute(call, self._keep)
        return self.last

    def execute(self, call: Call, reply: Callable[[Outcome, int], None]) -> None:
        """One query or mutation, in a batch of its own."""
        self.process(Execute(call, reply))

    def _keep(self, outcome: Outcome, _ts: int) -> None:
        self.last = outcome

    def transact(self, step: Callable[[Transaction], R]) -> R:
        """A step of the runtime itself in a transaction of its own."""
        ended: list[Any] = []
        self.process(Transact(step, lambda value, error: ended.extend((value, error))))
        value, error = ended
        if error is not None:
            raise error
        return cast("R", value)

    def new_session_id(self) -> str:
        """An id for the next client."""
        self._sessions += 1
        return f"test-{self._sessions:08}"

    # files

    def upload(self, url: str, content: bytes, content_type: str | None) -> str:
        """A file sent to an upload URL."""
        token = parse_qs(urlsplit(url).query).get("token", [""])[0]
        self.files.check_token(token)
        storage = ActionStorage(_Files(self.actions, self.files))
        return asyncio.run(storage.store(content, content_type=content_type))

    def download(self, url: str) -> Blob | None:
        """What a file's URL gives."""
        storage_id = urlsplit(url).path.rpartition("/")[2]
        return asyncio.run(ActionStorage(_Files(self.actions, self.files)).get(storage_id))

    def keep(self) -> Spares:
        """What is stored now, for others to begin with; it is there once this is closed."""
        assert self._storage is not None
        self._storage.freeze()
        database = self.engine.database
        self._spares = Spares(
            database.catalog.copy(), last_creation_time=database.last_creation_time
        )
        return self._spares

    def close(self) -> None:
        """Gives the database back, as it was to begin with."""
        assert self._storage is not None
        self._storage.rewind()
        self._spares.storages.append(self._storage)


class Followed:
    """A query kept alive, as a connected client has it.

    Attributes:
        updates: every result it was pushed, oldest first.
        transitions_sent: how many transitions came.
        failure: why the query's newest run failed; None when it did not.
    """

    def __init__(
        self, runtime: Runtime, call: Call, load_result: Callable[[Any], Any] = lambda value: value
    ) -> None:
        self.updates: list[Any] = []
        self.transitions_sent = 0
        self.failure: Failure | None = None
        self._runtime, self._call, self._load = runtime, call, load_result
        self._runs_before = 0
        self._session: Session | None = None
        runtime.followed.append(self)
        self.connect()

    def connect(self) -> None:
        """Asks for the query over a new connection; the one before is gone with its server."""
        if self._session is not None:
            self._runs_before += self._session.runs(0)
        host, call = self._runtime, self._call
        self._session = Session(self, host.engine.database.limits)
        self._session.identity, self._session.admin = call.identity, call.internal
        add = AddQuery(0, call.path, call.arguments, None)
        host.process(FromClient(self._session, Connect(host.new_session_id(), 0)))
        host.process(FromClient(self._session, ModifyQuerySet(0, 1, (add,))))

    @property
    def runs(self) -> int:
        """How often the query was run since it is followed."""
        return self._runs_before + (self._session.runs(0) if self._session else 0)

    def close(self) -> None:
        """Ends the subscription."""
        if self._session is None:
            return
        session, self._runs_before, self._session = self._session, self.runs, None
        self._runtime.followed.remove(self)
        self._runtime.process(FromClient(session, ModifyQuerySet(1, 2, (RemoveQuery(0),))))
        self._runtime.process(Left(session))

    def deliver(self, texts: list[str], transitions: int, _close: Close | None) -> None:
        """Takes what the engine sends, as the network would."""
        self.transitions_sent += transitions
        for text in texts:
            for modification in json.loads(text).get("modifications", ()):
                self._take(modification)

    def _take(self, modification: dict[str, Any]) -> None:
        if modification["type"] == "QueryUpdated":
            self.failure = None
            self.updates.append(self._load(values.from_json(modification["value"])))
        elif modification["type"] == "QueryFailed":
            data = modification.get("errorData")
            encoded = orjson.dumps(data) if "errorData" in modification else None
            self.failure = Failure(modification["errorMessage"], encoded)


@dataclass
class _Files:
    """What files are reached through from outside of functions."""

    actions: ActionHost
    files: Files

    async def transact(self, step: Callable[[Transaction], Any]) -> Any:
        """A step of the runtime itself."""
        return await self.actions.transact(step)
