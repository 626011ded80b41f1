"""The bridge between the network's thread and the engine's."""

from __future__ import annotations

import asyncio
import logging
import queue
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from math import inf
from time import monotonic
from typing import TypeVar

from headwater.action_loop import ActionLoop
from headwater.core.calls import Call, Outcome
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.timelimit import HardLimit
from headwater.core.transaction import Transaction
from headwater.core.work import (
    Execute,
    Output,
    Overhaul,
    Pin,
    Reload,
    RunDue,
    Transact,
    Work,
    settle,
)
from headwater.last_call import LastCall
from headwater.recorder import Recorder
from headwater.records import Records

T = TypeVar("T")
_NAP_S = 60.0
_ALONE = (Reload, Overhaul)  # they take as long as they take
_SESSIONS_NOTED = 1_000
_log = logging.getLogger("headwater")


class Hub:
    """Hands work to the engine and its outputs back to the network.

    Attributes:
        actions: runs actions, on a loop of their own.
        recorder: told of every call.
        sessions: how many clients are connected.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._inbox: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._waiting: deque[Work] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn: asyncio.Future[None] | None = None
        self.recorder = Recorder(Records(engine.database.limits))
        self.recorder.attach(engine)
        self.sessions = 0
        self._too_large: dict[str, None] = {}
        self.actions = ActionLoop(engine, self.put)
        self._scheduled: set[asyncio.Task[None]] = set()
        engine.background.start_action = self._start_action

    def connect(self, loop: asyncio.AbstractEventLoop) -> None:
        """Names the network's loop, where outputs are sent."""
        self._loop = loop

    @property
    def waiting(self) -> int:
        """How much work waits for the engine."""
        return self._inbox.qsize() + len(self._waiting)

    def put(self, work: Work) -> None:
        """Queues work for the engine; from any thread."""
        self._inbox.put(work)

    def sent_too_large(self, session_id: str) -> None:
        """Notes a session that sent what is not even read; the newest are remembered."""
        self._too_large[session_id] = None
        while len(self._too_large) > _SESSIONS_NOTED:
            self._too_large.pop(next(iter(self._too_large)))

    def was_too_large(self, session_id: str) -> bool:
        """True for a session that would send it again as soon as it is connected."""
        return session_id in self._too_large

    def stop(self) -> None:
        """Ends the engine's loop after what is queued now."""
        self._inbox.put(None)

    async def execute(self, call: Call) -> tuple[Outcome, int]:
        """Runs a query or mutation and gives its outcome and timestamp; on the network's loop."""
        future: asyncio.Future[tuple[Outcome, int]] = asyncio.get_running_loop().create_future()

        def reply(outcome: Outcome, ts: int) -> None:
            if not future.done():
                future.set_result((outcome, ts))

        self.put(Execute(call, reply))
        return await future

    async def pin(self) -> int:
        """A timestamp that queries can be run at for a while; on the network's loop."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.put(Pin(partial(settle, future, error=None)))
        return await future

    async def transact(self, step: Callable[[Transaction], T]) -> T:
        """A step of the runtime itself in a transaction of its own; on the network's loop.

        Raises:
            StorageFailure: it was not kept.
            Exception: what the step raised.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.put(Transact(step, partial(settle, future)))
        return await future

    def _start_action(self, call: Call) -> None:
        task = asyncio.ensure_future(self._run_action(call))
        self._scheduled.add(task)
        task.add_done_callback(self._scheduled.discard)

    async def _run_action(self, call: Call) -> None:
        """A scheduled action, from its start on the network's loop to the note of its end."""
        outcome = await self.actions.run(call)
        self.put(self.engine.background.ended(call, outcome))

    def ask(self, step: Callable[[Database], T], *, writes: bool = False) -> T:
        """A step on the database itself, awaited by a thread that is neither of ours.

        Raises:
            StorageFailure: it was not kept.
            Exception: what the step raised.
        """
        future: Future[T] = Future()
        self.put(Overhaul(step, partial(settle, future), writes))
        return future.result()

    async def next_turn(self) -> None:
        """Waits until the engine has finished another batch."""
        if self._turn is None or self._turn.done():
            self._turn = asyncio.get_running_loop().create_future()
        await self._turn

    def run(self, limit: HardLimit, last_call: LastCall) -> None:
        """The engine's loop: takes all that waits as one batch, until `stop`. On the main thread.

        Args:
            limit: ends the process when a batch hangs where no signal reaches.
            last_call: keeps what ran when that happens.
        """

        def before_call(call: Call) -> None:
            limit.arm()
            last_call.note(call.path, call.job)
            recorder.began = monotonic()

        recorder = self.recorder
        self.engine.before_call = before_call
        running = True
        while running or self._waiting:
            running = running and self._gather(limit)
            if self._waiting or self.engine.background.queue.is_due():
                self._process(self._batch(limit))
                last_call.forget()
            if running and self.engine.busy:
                self._tend(limit)
        limit.disarm()

    def _gather(self, limit: HardLimit) -> bool:
        """Takes in all that has come, at least one work; False when the last one has come."""
        working = self._waiting or self.engine.busy or self.engine.background.queue.is_due()
        if working and self._inbox.empty():
            return True
        work = self._inbox.get() if self._waiting else self._next(limit)
        while work is not None:
            self._waiting.append(work)
            if self._inbox.empty():
                return True
            work = self._inbox.get()
        return False

    def _batch(self, limit: HardLimit) -> Iterator[Work]:
        """All that waits, but no more than a batch has time for: nobody in it is answered before
        its end. A reload comes alone: it has a time limit of its own. What is due comes once
        before the clients and, while there is time, after them.
        """
        until = monotonic() + self.engine.database.limits.batch_s
        due = self.engine.background.queue
        if due.is_due():
            yield RunDue()
        while self._waiting:
            work = self._waiting.popleft()
            reload = isinstance(work, _ALONE)
            if reload:
                limit.disarm()
            yield work
            late = monotonic() > until
            if reload or late or (self._waiting and isinstance(self._waiting[0], _ALONE)):
                return
        while due.is_due() and monotonic() < until:
            yield RunDue()

    def _next(self, limit: HardLimit) -> Work | None:
        """Waits for work, or for what is due. The limit stays armed for a moment: arming it makes
        a thread, 50 us.
        """
        moment_s = self.engine.database.limits.hard_limit_s / 20
        with suppress(queue.Empty):
            return self._inbox.get(timeout=min(moment_s, self._until_due_s() or moment_s))
        limit.disarm()
        with suppress(queue.Empty):
            return self._inbox.get(timeout=self._until_due_s())
        return RunDue()

    def _until_due_s(self) -> float | None:
        """Seconds until something is due, None for ever; not long, for wall clocks are set."""
        jobs = self.engine.background.queue
        next_ms = jobs.next_ms()
        return None if next_ms == inf else min(max(0.0, next_ms - jobs.now_ms) / 1000, _NAP_S)

    def _tend(self, limit: HardLimit) -> None:
        """A piece of upkeep after each batch, and one after another while nothing waits."""
        limit.disarm()
        self._post(self.engine.tend())

    def _process(self, batch: Iterable[Work]) -> None:
        try:
            self._post(self.engine.process(batch))
        except Exception:
            # A fault of ours, not of a handler: say so loudly, and let the supervisor start anew
            # rather than go on with sessions that no longer agree with their clients.
            traceback.print_exc()
            raise

    def _post(self, outputs: list[Output]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the network is gone already: nobody is left to tell
                self._loop.call_soon_threadsafe(self._send, outputs)

    def _send(self, outputs: list[Output]) -> None:
        for output in outputs:
            try:
                output.send()
            except Exception:
                _log.exception("an output could not be handed over")
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)
