"""What runs by itself: scheduled calls, crons, and the clearing away of old results."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from headwater.core import jobs
from headwater.core.batch import EngineBatch
from headwater.core.calls import AfterHandler, Call, Outcome
from headwater.core.database import Database
from headwater.core.documents import Stored
from headwater.core.failures import Failure
from headwater.core.job_queue import JobQueue
from headwater.core.transaction import Transaction
from headwater.core.work import Answer, Output, Transact


class Mutate(Protocol):
    """Runs a mutation within a batch; `after` writes in the same transaction."""

    def __call__(
        self, call: Call, batch: EngineBatch, after: AfterHandler | None = None
    ) -> Outcome: ...


class Background:
    """Runs what is due, one thing at a time, as a part of the engine's batches.

    Args:
        database: where the queue is.
        mutate: runs a mutation.
        transact: runs a step of the runtime in a transaction of its own.

    Attributes:
        queue: what is due, and when.
        start_action: given each scheduled action once its start is durable; whoever runs it puts
            `ended` into the engine's queue.
    """

    def __init__(
        self,
        database: Database,
        mutate: Mutate,
        transact: Callable[[Callable[[Transaction], Any], EngineBatch], Any],
    ) -> None:
        self._database = database
        self._mutate, self._transact = mutate, transact
        self.queue = JobQueue(database)
        self.start_action: Callable[[Call], None] = lambda _call: None

    def resume(self, batch: EngineBatch) -> None:
        """Takes up what a server before this one left."""
        self._transact(self.queue.resume, batch)
        self.sync(batch)

    def sync(self, batch: EngineBatch) -> None:
        """Makes the stored crons those of the backend that was loaded."""
        self._transact(partial(self.queue.sync, self._database.manifest.crons), batch)

    def run_next(self, batch: EngineBatch) -> None:
        """Runs the next of what is due by now, if anything is."""
        due = self.queue.next() if batch.lost is None else None
        if due is None or due.at_ms > self.queue.now_ms:
            return
        if due.job is not None:
            self._run_job(due.job, batch)
        elif due.cron is not None:
            self._transact(partial(self.queue.fire, due.cron), batch)
        else:
            self._transact(self.queue.sweep, batch)
        self.queue.stale = True

    def _run_job(self, job: Stored, batch: EngineBatch) -> None:
        call = self.queue.call(job)
        if call.kind == "action":
            self._transact(lambda transaction: jobs.start(transaction, job.id), batch)
            self.queue.running.add(job.id)
            batch.acks.append(partial(self._started, call))
            return
        # The effect and the note that it happened are one transaction: hence exactly once.
        outcome = self._mutate(
            call, batch, lambda t: jobs.end(t, job.id, "success", self.queue.now_ms)
        )
        if outcome.failure is not None and outcome.failure.overloaded:
            self.queue.hold(job.id)
            return
        if outcome.failure is not None:
            self._transact(partial(self.queue.end, call, outcome), batch)
        batch.acks.append(partial(self._settled, job.id))

    def _started(self, call: Call, lost: Failure | None) -> Output:
        if lost is None:
            return Answer(partial(self.start_action, call))
        return self._settled(call.job or "", lost)

    def _settled(self, job_id: str, lost: Failure | None) -> Output:
        self.queue.let_go(job_id)
        if lost is not None:
            self.queue.hold(job_id)
        return Answer(lambda: None)

    def ended(self, call: Call, outcome: Outcome) -> Transact:
        """The work to do when a scheduled action has come to its end."""

        def step(transaction: Transaction) -> None:
            self.queue.end(call, outcome, transaction)
            self.queue.let_go(call.job or "")

        return Transact(step, lambda _value, _error: None)
