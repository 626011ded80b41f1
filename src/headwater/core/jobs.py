"""Jobs: calls that are to run by themselves, kept in `_scheduled_functions`.

A job goes pending -> success or failed (a mutation, in its own transaction) or pending ->
inProgress -> success or failed (an action); canceled from the first two. What is written here
commits or rolls back with the transaction it is written in.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, Final

from headwater.core.documents import Stored
from headwater.core.manifest import canonical_path
from headwater.core.requests import Bound, Range
from headwater.errors import InvalidStorageId, LimitExceeded, QueryInvalid

if TYPE_CHECKING:
    from headwater.core.transaction import Transaction

TABLE: Final = "_scheduled_functions"
OUTSTANDING: Final = ("pending", "inProgress")
INTERRUPTED: Final = (
    "Transient error while executing action: the server ended while it ran. "
    "Actions run at most once, so it is not run again."
)


def job_name(path: str) -> str:
    """`tasks:sendReminder` as records name it: `tasks.js:sendReminder`."""
    module, _, name = path.partition(":")
    return f"{module}.js:{name}"


def job_path(job: Stored) -> str:
    """The wire path of the function a job runs."""
    return canonical_path(job.value["name"])


def is_outstanding(job: Stored | None) -> bool:
    """True for a job that waits or runs."""
    return job is not None and job.table == TABLE and state_of(job) in OUTSTANDING


def state_of(job: Stored) -> str:
    """How far a job is: pending, inProgress, success, failed or canceled."""
    kind: str = job.value["state"]["kind"]
    return kind


def schedule(
    transaction: Transaction, path: str, arguments: dict[str, Any], at_ms: float, most: int
) -> str:
    """Adds a job; what a canceled job schedules is canceled from the start.

    Args:
        transaction: of the call that schedules.
        path: of the function to run.
        arguments: checked ones.
        at_ms: when, ms since 1970.
        most: how many jobs one call may add.

    Raises:
        LimitExceeded: this call adds too many.
        QueryInvalid: `at_ms` is no time.
    """
    if not math.isfinite(at_ms):
        raise QueryInvalid(f"a call is scheduled for a time in ms since 1970, not {at_ms}")
    transaction.scheduled += 1
    if transaction.scheduled > most:
        raise LimitExceeded(
            f"one call schedules at most {most} others. Schedule one that does a batch and then "
            "schedules the next"
        )
    parent = transaction.system_get(transaction.job) if transaction.job else None
    kind = "canceled" if parent is not None and state_of(parent) == "canceled" else "pending"
    fields = {
        "name": job_name(path),
        "args": [arguments],
        "scheduledTime": at_ms,
        "state": {"kind": kind},
    }
    return transaction.system_insert(TABLE, fields)


def cancel(transaction: Transaction, job_id: str, now_ms: float) -> None:
    """Cancels a job that waits or runs; one that has ended stays as it is.

    A running one goes on to its end, but schedules nothing any more.

    Raises:
        InvalidStorageId: the id is no job's.
    """
    job = transaction.system_get(job_id) if transaction.table_of(job_id) == TABLE else None
    if job is None:
        raise InvalidStorageId(
            f"Invalid argument `id` for `scheduler.cancel`: {job_id[:80]!r} is no scheduled call"
        )
    if state_of(job) in OUTSTANDING:
        end(transaction, job_id, "canceled", now_ms)


def start(transaction: Transaction, job_id: str) -> None:
    """Notes that an action begins: from here on it is never begun again."""
    job = transaction.system_get(job_id)
    if job is not None and state_of(job) == "pending":
        transaction.system_patch(job, {"state": {"kind": "inProgress"}})


def end(
    transaction: Transaction, job_id: str, kind: str, now_ms: float, error: str | None = None
) -> None:
    """Notes how a job ended; a canceled one stays canceled."""
    job = transaction.system_get(job_id)
    if job is None or state_of(job) == "canceled":
        return
    state = {"kind": kind} if error is None else {"kind": kind, "error": error}
    transaction.system_patch(job, {"state": state, "completedTime": now_ms})


def interrupt_all(transaction: Transaction, now_ms: float) -> None:
    """Fails the actions that a server before this one left in the middle: as many as ran at
    once.
    """
    for job in transaction.system_scan(of_state("inProgress"), sys.maxsize):
        end(transaction, job.id, "failed", now_ms, INTERRUPTED)


def of_state(kind: str) -> Range:
    """The jobs in one state, by the time they are due."""
    return Range(TABLE, "by_state", equal=[("state.kind", kind)])


def ended_before(ms: float) -> Range:
    """The jobs that ended before a time, oldest first."""
    after, before = Bound("completedTime", 0.0, True), Bound("completedTime", ms, False)
    return Range(TABLE, "by_completed", lower=after, upper=before)
