"""The job queue: what the engine runs by itself, and when - jobs, crons, the clearing away of old
results.

Nothing is kept in memory but the time of what comes next: the queue is an index of the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from headwater.core import jobs
from headwater.core.calls import Call, Outcome
from headwater.core.database import Database
from headwater.core.documents import Stored
from headwater.core.manifest import CronSpec, FunctionKind
from headwater.core.overlay import WriteSet
from headwater.core.requests import Bound, Range
from headwater.core.transaction import Transaction

_CRONS = "_crons"
_SWEPT = 500  # results cleared away in one transaction
_LOOKED_AT = 200  # jobs behind one that has to wait, among which another is looked for
_HOLD_MS, _HOLD_MOST_MS = 1000.0, 60_000.0
_DAY_MS = 86_400_000.0


@dataclass(frozen=True)
class Due:
    """What is due next: a job, a cron, or (with neither) old results to be cleared away."""

    at_ms: float
    job: Stored | None = None
    cron: Stored | None = None


class JobQueue:
    """Finds what is due.

    Attributes:
        stale: jobs or crons have changed; the next one has to be looked for again.
        running: jobs whose action runs now.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[str, tuple[float, float]] = {}
        self._sweep_ms = inf
        self._next_ms = inf
        self._outstanding = 0  # as of the last commit
        self.stale = True
        self.running: set[str] = set()

    @property
    def now_ms(self) -> float:
        """The time, ms since 1970."""
        return self._database.clock.now_ms()

    def count(self) -> None:
        """Counts the jobs that are outstanding: at the start, and when data came in by an import.
        From then on `changed` keeps the number.
        """
        reader = self._reader()
        found = sum(reader.system_count(jobs.of_state(kind)) for kind in jobs.OUTSTANDING)
        self._outstanding = self._database.outstanding = found

    def changed(self, write_set: WriteSet) -> None:
        """Takes note of what is about to be applied."""
        self.stale = True
        for job_id, new in write_set.documents.items():
            old = self._database.peek(job_id)
            self._database.outstanding += jobs.is_outstanding(new) - jobs.is_outstanding(old)

    def kept(self) -> None:
        """What was applied is durable."""
        self._outstanding = self._database.outstanding

    def lost(self) -> None:
        """What was applied since the last commit never was."""
        self._database.outstanding = self._outstanding
        self.stale = True

    def next_ms(self) -> float:
        """When something is due next, ms since 1970; infinite when nothing waits."""
        if self.stale:
            self._next_ms = self.next().at_ms
            self.stale = False
        return self._next_ms

    def is_due(self) -> bool:
        """True when something should be run now."""
        next_ms = self.next_ms()
        return next_ms != inf and next_ms <= self.now_ms

    def next(self) -> Due:
        """What is due next."""
        return min(
            (self.next_job(), self._next_cron(), Due(self._sweep_ms)), key=lambda due: due.at_ms
        )

    def next_job(self) -> Due:
        """The scheduled call that is due next; without one, when a call put off may be tried."""
        """The scheduled call that is due next; without one, when a call put off may be tried."""
        now_ms, wake_ms = self.now_ms, inf
        full = len(self.running) >= self._database.limits.scheduled_actions_at_once
        most = 1 + len(self._held) + (_LOOKED_AT if full else 0)
        for job in self._reader().system_scan(jobs.of_state("pending"), most):
            held_ms = self._held.get(job.id, (0.0, 0.0))[0]
            if held_ms > now_ms:
                wake_ms = min(wake_ms, held_ms)
            elif not (full and self.kind(job) == "action"):
                due_ms = max(job.value["scheduledTime"], held_ms)
                return Due(due_ms, job) if due_ms < wake_ms else Due(wake_ms)
        return Due(wake_ms)

    def _next_cron(self) -> Due:
        found = self._reader().system_scan(Range(_CRONS, "by_next"), 1)
        return Due(found[0].value["nextRun"], cron=found[0]) if found else Due(inf)

    def kind(self, job: Stored) -> FunctionKind:
        """What a job runs; a function that is gone counts as a mutation, which then fails."""
        spec = self._database.manifest.functions.get(jobs.job_path(job))
        return "mutation" if spec is None else spec.kind

    def call(self, job: Stored) -> Call:
        """The call a job stands for: in nobody's name."""
        arguments = job.value["args"][0]
        return Call(jobs.job_path(job), self.kind(job), arguments, internal=True, job=job.id)

    def hold(self, job_id: str) -> None:
        """Puts off a job that met a conflict or an overload, each time for longer."""
        wait_ms = min(2 * self._held.get(job_id, (0.0, _HOLD_MS / 2))[1], _HOLD_MOST_MS)
        self._held[job_id] = self.now_ms + wait_ms, wait_ms
        self.stale = True

    def let_go(self, job_id: str) -> None:
        """Forgets about a job that has ended."""
        self._held.pop(job_id, None)
        self.running.discard(job_id)
        self._sweep_ms = min(self._sweep_ms, self.now_ms + self._kept_ms)
        self.stale = True

    def _reader(self) -> Transaction:
        return Transaction(self._database)

    # steps in a transaction of their own

    def end(self, call: Call, outcome: Outcome, transaction: Transaction) -> None:
        """Notes how a job ended that could not note it itself: an action, a failed mutation."""
        job_id = call.job or ""
        failure = outcome.failure
        if failure is None:
            jobs.end(transaction, job_id, "success", self.now_ms)
        else:
            jobs.end(transaction, job_id, "failed", self.now_ms, failure.message)

    def fire(self, cron: Stored, transaction: Transaction) -> None:
        """Schedules a cron's run, unless the one before it still goes on, and notes the next."""
        fields, now_ms = cron.value, self.now_ms
        spec = self._database.manifest.crons.get(fields["name"])
        if spec is None:
            transaction.system_delete(cron)
            return
        following = spec.schedule.following(fields["nextRun"], now_ms)
        changes: dict[str, Any] = {"nextRun": following}
        last = transaction.system_get(fields["lastJob"]) if "lastJob" in fields else None
        if last is None or jobs.state_of(last) not in ("pending", "inProgress"):
            job_id = jobs.schedule(transaction, spec.path, spec.arguments, now_ms, 1)
            changes.update(lastRun=now_ms, lastJob=job_id)
        transaction.system_patch(cron, changes)

    def sweep(self, transaction: Transaction) -> None:
        """Clears away results that were kept long enough, a bounded number."""
        old = transaction.system_scan(jobs.ended_before(self.now_ms - self._kept_ms), _SWEPT)
        for job in old:
            transaction.system_delete(job)
        later = self._first_ended_ms() if len(old) < _SWEPT else self.now_ms
        self._sweep_ms = max(later, self.now_ms + 1)

    @property
    def _kept_ms(self) -> float:
        return self._database.limits.scheduled_results_days * _DAY_MS

    def _first_ended_ms(self) -> float:
        """When the oldest result that is still to be kept becomes too old."""
        kept = Bound("completedTime", self.now_ms - self._kept_ms, True)
        wanted = Range(jobs.TABLE, "by_completed", lower=kept)
        first = self._reader().system_scan(wanted, 1)
        return first[0].value["completedTime"] + self._kept_ms if first else inf

    def resume(self, transaction: Transaction) -> None:
        """Takes up what a server before this one left: actions in the middle are failed."""
        jobs.interrupt_all(transaction, self.now_ms)
        self._sweep_ms = min(self._first_ended_ms(), self.now_ms + self._kept_ms)

    def sync(self, crons: Mapping[str, CronSpec], transaction: Transaction) -> None:
        """Makes the stored crons those of the backend, by name: one whose schedule stays keeps its
        next run, however often it is loaded.
        """
        known: dict[str, Stored] = {}
        for stored in transaction.system_scan(Range(_CRONS, "by_name"), 10_000):
            if stored.value["name"] in crons:
                known[stored.value["name"]] = stored
            else:
                transaction.system_delete(stored)
        for name, spec in crons.items():
            self._sync_one(known.get(name), spec, transaction)

    def _sync_one(self, stored: Stored | None, spec: CronSpec, transaction: Transaction) -> None:
        fields = {
            "function": jobs.job_name(spec.path),
            "args": [spec.arguments],
            "schedule": str(spec.schedule),
        }
        if stored is None:
            new = {**fields, "name": spec.name, "nextRun": spec.schedule.first(self.now_ms)}
            transaction.system_insert(_CRONS, new)
        elif stored.value["schedule"] != fields["schedule"]:
            changes = {**fields, "nextRun": spec.schedule.following(self.now_ms, self.now_ms)}
            transaction.system_patch(stored, changes)
        else:
            transaction.system_patch(stored, fields)
