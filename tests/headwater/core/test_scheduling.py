"""Scheduled calls: part of the transaction that schedules them, run at their time, once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from headwater import (
    ActionCtx,
    AppError,
    Document,
    Id,
    MutationCtx,
    QueryCtx,
    ScheduledFunction,
    action,
    internal_action,
    internal_mutation,
    mutation,
    query,
)
from headwater.core.calls import Outcome
from headwater.errors import Conflict, StorageFailure
from headwater.settings import Limits
from headwater.testing import Backend, FunctionFailed
from tests.headwater.core.things import backend_of


class Note(Document, table="notes"):
    """What ran."""

    text: str
    at: float


@internal_mutation
async def note(ctx: MutationCtx, text: str) -> None:
    """Writes that it ran; its text decides whether that works."""
    await ctx.db.insert(Note(text=text, at=ctx.now))
    if text == "bad":
        raise AppError("refused")
    if await ctx.auth.get_user_identity() is not None:
        raise AppError("in somebody's name")


@internal_action
async def work(ctx: ActionCtx, text: str) -> None:
    """The same from an action."""
    await ctx.run_mutation(note, text=text)
    if text == "broken":
        raise ValueError("broken")


@mutation
async def later(ctx: MutationCtx, text: str, ms: float, fail: bool = False) -> Id[Any]:
    """Schedules a note."""
    job = await ctx.scheduler.run_after(ms, note, text=text)
    if fail:
        raise AppError("no")
    return job


@mutation
async def later_work(ctx: MutationCtx, text: str, ms: float = 0) -> Id[Any]:
    """Schedules an action."""
    return await ctx.scheduler.run_after(ms, work, text)


@mutation
async def at(ctx: MutationCtx, year: int) -> Id[Any]:
    """Schedules by a date."""
    return await ctx.scheduler.run_at(datetime(year, 1, 1, tzinfo=UTC), note, text="dated")


@mutation
async def wrongly(ctx: MutationCtx, way: str) -> None:
    """Schedules what cannot be scheduled."""
    if way == "negative":
        await ctx.scheduler.run_after(-1, note, text="x")
    elif way == "nan":
        await ctx.scheduler.run_after(float("nan"), note, text="x")
    elif way == "naive":
        await ctx.scheduler.run_at(datetime(2030, 1, 1), note, text="x")
    elif way == "arguments":
        await ctx.scheduler.run_after(0, note, test="x")  # type: ignore[call-arg]
    elif way == "query":
        await ctx.scheduler.run_after(0, texts)  # type: ignore[arg-type]
    elif way == "id":
        await ctx.scheduler.cancel(Id[Any]("nothing"))
    elif way == "many":
        for _ in range(1001):
            await ctx.scheduler.run_after(0, note, text="x")


@mutation
async def cancel(ctx: MutationCtx, job: Id[Any]) -> None:
    """Cancels."""
    await ctx.scheduler.cancel(job)


@internal_mutation
async def chain(ctx: MutationCtx, left: int) -> None:
    """A batch, then the next."""
    await ctx.db.insert(Note(text=f"chain {left}", at=ctx.now))
    if left:
        await ctx.scheduler.run_after(1000, chain, left=left - 1)


@internal_mutation
async def for_ever(ctx: MutationCtx) -> None:
    """Never ends."""
    await ctx.scheduler.run_after(0, for_ever)


@mutation
async def start(ctx: MutationCtx, what: str) -> None:
    """Starts a chain."""
    if what == "chain":
        await ctx.scheduler.run_after(0, chain, left=3)
    else:
        await ctx.scheduler.run_after(0, for_ever)


@mutation
async def inner_fails(ctx: MutationCtx) -> None:
    """A part that schedules, and is undone."""
    await ctx.scheduler.run_after(0, note, text="outer")
    try:
        await ctx.run_mutation(later, text="inner", ms=0, fail=True)
    except AppError:
        return


@action
async def from_action(ctx: ActionCtx, text: str) -> Id[Any]:
    """An action schedules at once, whatever becomes of it."""
    job = await ctx.scheduler.run_after(0, note, text=text)
    if text == "then fails":
        raise AppError("later")
    return job


@internal_action
async def cancels_itself(ctx: ActionCtx, job_of: str) -> None:
    """Ends its own job, then schedules."""
    jobs: list[ScheduledFunction] = await ctx.run_query(running)
    await ctx.scheduler.cancel(jobs[0].id)
    await ctx.scheduler.run_after(0, note, text=job_of)
    await ctx.run_mutation(later, text=job_of, ms=0)


@mutation
async def start_canceller(ctx: MutationCtx) -> None:
    """Schedules it."""
    await ctx.scheduler.run_after(0, cancels_itself, job_of="child")


@query
async def running(ctx: QueryCtx) -> list[ScheduledFunction]:
    """Jobs in progress."""
    jobs = await ctx.db.system.query(ScheduledFunction).collect()
    return [job for job in jobs if job.state.kind == "inProgress"]


@query
async def texts(ctx: QueryCtx) -> list[str]:
    """What ran, in order."""
    return [found.text for found in await ctx.db.query(Note).collect()]


@query
async def states(ctx: QueryCtx) -> list[str]:
    """How far every job is."""
    jobs = await ctx.db.system.query(ScheduledFunction).collect()
    return [job.state.kind + (f": {job.state.error}" if job.state.error else "") for job in jobs]


@query
async def job(ctx: QueryCtx, job: Id[ScheduledFunction]) -> ScheduledFunction | None:
    """One job."""
    return await ctx.db.system.get(job)


MEMBERS = (
    Note, note, work, later, later_work, at, wrongly, cancel, chain, for_ever, start,
    inner_fails, from_action, cancels_itself, start_canceller, running, texts, states, job,
)  # fmt: skip


@pytest.fixture
def backend() -> Backend:
    """A backend that schedules."""
    return backend_of(*MEMBERS)


def test_a_call_runs_at_its_time_and_not_before(backend: Backend) -> None:
    """`ctx.now` of the call is the time it was scheduled for."""
    began = backend.clock.now_ms()
    backend.mutation(later, text="a", ms=60_000)
    backend.advance(seconds=59)
    assert backend.query(texts) == []
    backend.advance(seconds=1)
    assert backend.query(texts) == ["a"]
    at_ms = backend.run(_first_note)
    assert at_ms == pytest.approx(began + 60_000, abs=0.01)


async def _first_note(ctx: MutationCtx) -> float:
    found = await ctx.db.query(Note).first()
    assert found is not None
    return found.at


def test_run_after_0_runs_after_the_commit(backend: Backend) -> None:
    """Not inside the mutation; a caller with an identity does not lend it."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(later, text="a", ms=0)
    assert backend.query(states) == ["pending"]
    backend.advance()
    assert backend.query(states) == ["success"]
    assert backend.query(texts) == ["a"]


def test_scheduling_rolls_back_with_its_mutation(backend: Backend) -> None:
    """A mutation that fails has scheduled nothing."""
    with pytest.raises(AppError):
        backend.mutation(later, text="a", ms=0, fail=True)
    assert backend.query(states) == []


def test_a_part_that_is_undone_schedules_nothing(backend: Backend) -> None:
    """A failed `run_mutation` takes back what it scheduled, and no more."""
    backend.mutation(inner_fails)
    backend.finish_scheduled()
    assert backend.query(texts) == ["outer"]


def test_the_record_of_a_job(backend: Backend) -> None:
    """Name, arguments, times and state, as Convex keeps them."""
    job_id = backend.mutation(later, text="a", ms=5000)
    found = backend.query(job, job_id)
    assert found is not None
    assert (found.name, found.args) == ("things.js:note", [{"text": "a"}])
    assert found.completed_time is None
    backend.advance(seconds=5)
    done = backend.query(job, job_id)
    assert done is not None
    assert done.state.kind == "success"
    assert done.completed_time == pytest.approx(done.scheduled_time, abs=0.01)


def test_a_failed_mutation_keeps_nothing_but_its_error(backend: Backend) -> None:
    """It is not run again."""
    backend.mutation(later, text="bad", ms=0)
    backend.finish_scheduled()
    (state,) = backend.query(states)
    assert state.startswith("failed: Uncaught ConvexError: refused")
    assert backend.query(texts) == []


def test_actions_run_at_most_once(backend: Backend) -> None:
    """What a failed one did stays done."""
    backend.mutation(later_work, "fine")
    backend.mutation(later_work, "broken")
    backend.finish_scheduled()
    first, second = backend.query(states)
    assert first == "success"
    assert second.startswith("failed: Uncaught ValueError: broken")
    assert backend.query(texts) == ["fine", "broken"]


def test_jobs_run_in_the_order_of_their_times(backend: Backend) -> None:
    """Not in the order they were scheduled in."""
    for text, ms in (("c", 300), ("a", 100), ("b", 200)):
        backend.mutation(later, text=text, ms=ms)
    backend.advance(seconds=1)
    assert backend.query(texts) == ["a", "b", "c"]


def test_a_date_is_a_time(backend: Backend) -> None:
    """A past one runs at once."""
    backend.mutation(at, year=2001)
    backend.mutation(at, year=2099)
    backend.advance()
    assert backend.query(states) == ["success", "pending"]


def test_a_chain_of_batches(backend: Backend) -> None:
    """Each schedules the next; advance runs them at their times, finish_scheduled all."""
    backend.mutation(start, "chain")
    backend.advance(seconds=1)
    assert backend.query(texts) == ["chain 3", "chain 2"]
    backend.finish_scheduled()
    assert backend.query(texts) == ["chain 3", "chain 2", "chain 1", "chain 0"]


def test_an_endless_chain_is_said_to_be_one(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test that would never end says why."""
    monkeypatch.setattr("headwater.runtime._RUNS", 100)
    backend.mutation(start, "for ever")
    with pytest.raises(RuntimeError, match="schedule itself again without a delay"):
        backend.advance()


def test_a_canceled_job_never_runs(backend: Backend) -> None:
    """To cancel it again changes nothing, nor to cancel one that has run."""
    job_id = backend.mutation(later, text="a", ms=0)
    backend.mutation(cancel, job_id)
    backend.mutation(cancel, job_id)
    done = backend.mutation(later, text="b", ms=0)
    backend.advance()
    backend.mutation(cancel, done)
    assert backend.query(states) == ["canceled", "success"]
    assert backend.query(texts) == ["b"]


def test_what_a_canceled_action_schedules_is_canceled(backend: Backend) -> None:
    """It goes on to its end, itself and what it runs; but nothing it schedules runs."""
    backend.mutation(start_canceller)
    backend.finish_scheduled()
    assert backend.query(states) == ["canceled", "canceled", "canceled"]
    assert backend.query(texts) == []


def test_an_action_schedules_at_once(backend: Backend) -> None:
    """Also when it fails afterwards."""
    with pytest.raises(AppError):
        backend.action(from_action, "then fails")
    backend.finish_scheduled()
    assert backend.query(texts) == ["then fails"]


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ("negative", "`delay_ms` must be non-negative, not -1"),
        ("nan", "`delay_ms` must be a finite number, not nan"),
        ("naive", "a datetime needs a time zone"),
        ("arguments", "ArgumentValidationError: .*missing the required field `text`"),
        ("query", "things:texts as a scheduled call, but it is defined as a query"),
        ("id", "Invalid argument `id` for `scheduler.cancel`: 'nothing' is no scheduled call"),
        ("many", "one call schedules at most 1000 others"),
    ],
)
def test_what_cannot_be_scheduled_is_said_at_once(backend: Backend, way: str, text: str) -> None:
    """In the mutation, not when its time has come."""
    with pytest.raises(FunctionFailed, match=text):
        backend.mutation(wrongly, way)
    assert backend.query(states) == []


def test_a_query_of_jobs_is_live(backend: Backend) -> None:
    """Progress is pushed as it happens."""
    seen = backend.subscribe(states)
    backend.mutation(later_work, "a")
    backend.advance()
    assert seen.updates == [[], ["pending"], ["inProgress"], ["success"]]


def test_results_are_cleared_away_after_a_week(backend: Backend) -> None:
    """Those of the last seven days stay."""
    backend.mutation(later, text="old", ms=0)
    backend.advance(days=6)
    backend.mutation(later, text="new", ms=0)
    backend.advance(days=1, minutes=1)
    assert backend.query(states) == ["success"]
    backend.advance(days=6)
    assert backend.query(states) == []


tries: list[str] = []


@internal_mutation
async def conflicted(ctx: MutationCtx) -> None:
    """Meets a conflict the first times."""
    tries.append("try")
    await ctx.db.insert(Note(text="through", at=ctx.now))
    if len(tries) < 7:
        raise Conflict


@mutation
async def start_conflicted(ctx: MutationCtx) -> None:
    """Schedules it."""
    await ctx.scheduler.run_after(0, conflicted)
    await ctx.scheduler.run_after(1, note, text="behind")


def test_a_conflict_puts_a_job_off_and_never_loses_it() -> None:
    """Others go on meanwhile; in the end it has happened once."""
    tries.clear()
    backend = backend_of(Note, conflicted, start_conflicted, note, texts, states)
    backend.mutation(start_conflicted)
    backend.advance(ms=5)
    assert backend.query(states) == ["pending", "success"]
    backend.advance(minutes=1)
    assert backend.query(texts) == ["behind", "through"]
    assert backend.query(states) == ["success", "success"]


def test_a_lost_commit_puts_a_job_off(backend: Backend) -> None:
    """Neither effect nor note is kept, then both."""
    backend.mutation(later, text="a", ms=0)

    def full() -> None:
        raise StorageFailure("the disk is full")

    backend.clock.faults["commit"] = full
    backend.advance(ms=10)
    del backend.clock.faults["commit"]
    assert backend.query(texts) == []
    assert backend.query(states) == ["pending"]
    backend.advance(seconds=5)
    assert backend.query(texts) == ["a"]


def test_an_engine_takes_up_what_another_left() -> None:
    """Pending jobs go on; an action in the middle has failed, for it may have had effects."""
    backend = backend_of(*MEMBERS)
    backend.mutation(later, text="a", ms=1000)
    backend.mutation(later_work, "half")
    engine = backend._host.engine
    engine.background.start_action = lambda _call: None  # the process dies here
    backend.advance()
    assert backend.query(states) == ["pending", "inProgress"]
    engine.resume()
    first, second = backend.query(states)
    assert first == "pending"
    assert second.startswith("failed: Transient error while executing action")
    backend.advance(seconds=1)
    assert backend.query(texts) == ["a"]


FULL = "3 scheduled calls wait or run, as many as there may be"


def bounded() -> Backend:
    """Three calls may be outstanding."""
    return backend_of(*MEMBERS, limits=Limits(scheduled_outstanding=3))


def test_scheduled_outstanding_is_a_limit() -> None:
    """One that ran or was canceled makes room; the mutation that goes beyond keeps nothing."""
    backend = bounded()
    first, *_ = (backend.mutation(later, text=text, ms=60_000) for text in "ab")
    backend.mutation(later, text="now", ms=0)
    with pytest.raises(FunctionFailed, match=FULL):
        backend.mutation(later, text="more", ms=0)
    backend.advance(ms=1)
    backend.mutation(cancel, first)
    backend.mutation(later, text="c", ms=60_000)
    backend.mutation(later, text="d", ms=60_000)
    with pytest.raises(FunctionFailed, match=FULL):
        backend.action(from_action, "more")
    found = backend.query(states)
    assert sorted(found) == ["canceled", "pending", "pending", "pending", "success"]


def test_what_was_undone_is_not_outstanding() -> None:
    """By the mutation, by a part of it, or by a disk that refused."""

    def full() -> None:
        raise StorageFailure("the disk is full")

    backend = bounded()
    database = backend._host.engine.database
    with pytest.raises(AppError):
        backend.mutation(later, text="a", ms=0, fail=True)
    backend.clock.faults["commit"] = full
    with pytest.raises(FunctionFailed, match="the disk is full"):
        backend.mutation(later, text="a", ms=0)
    backend.clock.faults.clear()
    assert database.outstanding == 0
    backend.mutation(inner_fails)
    assert database.outstanding == 1
    backend.finish_scheduled()
    assert database.outstanding == 0


def test_an_engine_counts_what_another_left() -> None:
    """Those that wait and those that run, not those that ended."""
    backend = bounded()
    engine = backend._host.engine
    engine.background.start_action = lambda _call: None
    backend.mutation(later_work, "half")
    backend.mutation(later, text="done", ms=0)
    backend.advance(ms=1)
    backend.mutation(later, text="waits", ms=1000)
    engine.database.outstanding = 0
    engine.background.queue.count()
    assert engine.database.outstanding == 2


def test_scheduled_actions_at_once_are_bounded_and_mutations_pass_them() -> None:
    """A full house of actions holds up actions, not mutations."""
    backend = backend_of(*MEMBERS, limits=Limits(scheduled_actions_at_once=2))
    held: list[Any] = []
    background = backend._host.engine.background
    background.start_action = held.append
    for text in "abc":
        backend.mutation(later_work, text)
    backend.mutation(later, text="through", ms=0)
    backend.advance(ms=1)
    assert [call.arguments["text"] for call in held] == ["a", "b"]
    assert backend.query(texts) == ["through"]
    backend._host.process(background.ended(held[0], Outcome(value=b"null")))
    backend.advance(ms=1)
    assert [call.arguments["text"] for call in held] == ["a", "b", "c"]


def test_run_is_a_transaction_of_the_test_s_own(backend: Backend) -> None:
    """It writes and reads as a mutation does; what raises keeps nothing."""

    async def put(ctx: MutationCtx) -> int:
        await ctx.db.insert(Note(text="put", at=0.0))
        return len(await ctx.db.query(Note).collect())

    async def fail(ctx: MutationCtx) -> None:
        await ctx.db.insert(Note(text="gone", at=0.0))
        raise LookupError("stop")

    assert backend.run(put) == 1
    with pytest.raises(LookupError):
        backend.run(fail)
    assert backend.query(texts) == ["put"]


def test_time_goes_one_way(backend: Backend) -> None:
    """To advance by less than nothing is a mistake."""
    with pytest.raises(ValueError, match="time does not go back"):
        backend.advance(seconds=-1)
