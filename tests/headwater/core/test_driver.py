"""Handlers are driven to their end, and every ctx request is answered outside of their code."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from headwater.core.driver import Outcome, Run
from headwater.errors import DocumentMissing, HeadwaterError, RuleViolation
from tests.headwater.core.handlers import Answers, drive, line_of

# --- requests ---


def test_a_request_gives_its_answer() -> None:
    """What is awaited is what was answered, converted by `then`."""

    async def handler(run: Run) -> list[Any]:
        return [await run.ask(1), await run.ask(2, str)]

    answers = Answers()
    assert drive(handler, answers) == [1, "2"]
    assert answers.batches == [[1], [2]]


def test_one_answer_at_a_time_is_enough() -> None:
    """A run may be given `answer_one` alone; a gather then asks it in turn."""

    async def handler(run: Run) -> list[Any]:
        return [await run.ask(1), *await asyncio.gather(run.ask(2), run.ask(3))]

    run = Run(answer_one=lambda request: request * 10, function="t:f", kind="query", limit_s=None)
    assert run.drive(handler(run)) == [10, 20, 30]


def test_one_answer_at_a_time_may_fail_in_a_gather() -> None:
    """What `answer_one` raises is that request's error alone."""

    def answer(request: int) -> int:
        if request == 2:
            raise LookupError("two")
        return request

    async def handler(run: Run) -> list[Any]:
        asked: list[Any] = [run.ask(number) for number in (1, 2, 3)]
        return await asyncio.gather(*asked, return_exceptions=True)

    run = Run(answer_one=answer, function="t:f", kind="query", limit_s=None)
    assert [str(one) for one in run.drive(handler(run))] == ["1", "two", "3"]


def test_a_run_needs_somebody_who_answers() -> None:
    """A run made with neither is refused where it is made."""
    with pytest.raises(ValueError, match="answer"):
        Run(function="t:f", kind="query", limit_s=None)


def test_an_error_answered_is_raised_where_it_was_awaited() -> None:
    """The handler may catch it and go on."""

    async def handler(run: Run) -> str:
        try:
            await run.ask(DocumentMissing("Delete", "x"))
        except DocumentMissing:
            return "caught " + await run.ask("it")
        return "missed"

    assert drive(handler) == "caught it"


def test_what_the_handler_raises_comes_out() -> None:
    """An error of its own, and one answered and not caught."""

    async def own(_run: Run) -> None:
        raise LookupError("own")

    async def answered(run: Run) -> None:
        await run.ask(LookupError("answered"))

    with pytest.raises(LookupError, match="own"):
        drive(own)
    with pytest.raises(LookupError, match="answered"):
        drive(answered)


def test_requests_pass_through_helpers_generators_and_context_managers() -> None:
    """Helpers in helpers, an async generator and an async context manager all may ask."""

    async def inner(run: Run, number: int) -> int:
        return await run.ask(number)

    async def numbers(run: Run) -> AsyncIterator[int]:
        for number in range(3):
            yield await inner(run, number)

    @asynccontextmanager
    async def block(run: Run) -> AsyncIterator[str]:
        yield await run.ask("enter")
        await run.ask("exit")

    async def handler(run: Run) -> list[Any]:
        async with block(run) as entered:
            return [entered, [number async for number in numbers(run)]]

    answers = Answers()
    assert drive(handler, answers) == ["enter", [0, 1, 2]]
    assert answers.requests == ["enter", 0, 1, 2, "exit"]


def test_finally_may_ask() -> None:
    """A handler that fails still has its `finally` answered."""

    async def handler(run: Run) -> None:
        try:
            raise LookupError
        finally:
            await run.ask("tidy")

    answers = Answers()
    with pytest.raises(LookupError):
        drive(handler, answers)
    assert answers.requests == ["tidy"]


def test_context_variables_end_with_their_call() -> None:
    """A ContextVar set in one call is not seen by the next, but throughout its own."""
    seen = contextvars.ContextVar("seen", default=0)

    async def handler(run: Run) -> int:
        before = seen.get()
        seen.set(before + 1)
        await run.ask("something")
        return before * 10 + seen.get()

    assert [drive(handler), drive(handler), seen.get()] == [1, 1, 0]


# --- several at once ---


async def _helper(run: Run, number: Any) -> Any:
    return await run.ask(number)


def test_a_gather_is_one_batch() -> None:
    """Requests gathered, directly or in helpers, are answered together and in order."""

    async def handler(run: Run) -> Any:
        return await asyncio.gather(*[_helper(run, n) for n in range(4)], run.ask(4))

    answers = Answers()
    assert drive(handler, answers) == [0, 1, 2, 3, 4]
    assert answers.batches == [[0, 1, 2, 3, 4]]


def test_a_gather_of_gathers_is_one_batch() -> None:
    """Requests are collected until no task can go on."""

    async def pair(run: Run, number: int) -> Any:
        return await asyncio.gather(run.ask(number), run.ask(number + 1))

    async def handler(run: Run) -> Any:
        return await asyncio.gather(pair(run, 0), pair(run, 2))

    answers = Answers()
    assert drive(handler, answers) == [[0, 1], [2, 3]]
    assert answers.batches == [[0, 1, 2, 3]]


def test_a_gather_may_return_its_exceptions() -> None:
    """With return_exceptions the others' answers are there too."""

    async def handler(run: Run) -> Any:
        return await asyncio.gather(run.ask(LookupError("no")), run.ask(2), return_exceptions=True)

    first, second = drive(handler)
    assert isinstance(first, LookupError)
    assert second == 2


def test_a_task_group_is_one_batch_with_its_body() -> None:
    """What the body asks joins what the children ask."""

    async def handler(run: Run) -> Any:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_helper(run, n)) for n in (1, 2)]
            body: Any = await run.ask(3)
        return [body, *(task.result() for task in tasks)]

    answers = Answers()
    assert drive(handler, answers) == [3, 1, 2]
    assert len(answers.batches) == 1


def test_a_failing_child_ends_its_group() -> None:
    """The other child is cancelled, its requests are not reported, and the group raises."""

    async def endless(run: Run) -> None:
        while True:
            await run.ask("again")

    async def handler(run: Run) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(endless(run))
            group.create_task(_helper(run, LookupError("no")))

    with pytest.raises(ExceptionGroup) as caught:
        drive(handler)
    assert [str(one) for one in caught.value.exceptions] == ["no"]


def test_a_failing_child_cancels_a_body_that_waits() -> None:
    """As in asyncio, the body of a task group is cancelled at what it awaits."""

    async def handler(run: Run) -> str:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_helper(run, LookupError("no")))
                await asyncio.gather(*[_helper(run, n) for n in range(3)])
                await asyncio.Event().wait()
        except ExceptionGroup:
            return "cancelled, " + await run.ask("went on")
        return "missed"

    assert drive(handler) == "cancelled, went on"


def test_a_task_cancelled_before_it_began_forgot_nothing() -> None:
    """Its request was never awaited, but that is nobody's mistake."""

    async def handler(run: Run) -> str:
        task = asyncio.create_task(_helper(run, 1))
        asked: asyncio.Future[Any] = asyncio.ensure_future(run.ask(2))
        task.cancel()
        asked.cancel()
        return ", ".join(
            type(one).__name__ for one in await asyncio.gather(task, asked, return_exceptions=True)
        )

    assert drive(handler) == "CancelledError, CancelledError"


def test_locks_queues_and_sleep_zero_work() -> None:
    """What needs no outside world runs: tasks take turns in the same order each time."""

    async def worker(run: Run, lock: asyncio.Lock, queue: asyncio.Queue[Any], name: str) -> None:
        async with lock:
            await asyncio.sleep(0)
            await queue.put((name, await run.ask(name)))

    async def handler(run: Run) -> list[Any]:
        lock, queue = asyncio.Lock(), asyncio.Queue[Any]()
        workers = [asyncio.create_task(worker(run, lock, queue, name)) for name in "abc"]
        got = [await queue.get() for _ in workers]
        await asyncio.gather(*workers)
        return got

    assert drive(handler) == [("a", "a"), ("b", "b"), ("c", "c")]


def test_tasks_that_only_yield_do_not_starve_requests() -> None:
    """A task polling with sleep(0) for another's answer sees it."""

    async def handler(run: Run) -> Any:
        task = asyncio.create_task(_helper(run, "answer"))
        while not task.done():
            await asyncio.sleep(0)
        again = asyncio.create_task(_helper(run, "again"))
        return [task.result(), *await asyncio.gather(again, _poll(again))]

    async def _poll(task: asyncio.Task[Any]) -> int:
        while not task.done():
            await asyncio.sleep(0)
        return 1

    assert drive(handler) == ["answer", "again", 1]


def test_a_handler_may_cancel_itself() -> None:
    """current_task().cancel() arrives at the next await, and can be taken back."""

    async def handler(run: Run) -> str:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        try:
            await run.ask(1)
        except asyncio.CancelledError:
            return f"cancelled {task.uncancel()} " + await run.ask("on")
        return "missed"

    assert drive(handler) == "cancelled 0 on"


# --- what is left open ---


def test_a_request_never_awaited_is_named() -> None:
    """HW205 says where it was made; nothing was asked."""

    async def handler(run: Run) -> int:
        run.ask("forgotten")  # type: ignore[unused-coroutine]
        return await run.ask(1)

    answers = Answers()
    with pytest.raises(RuleViolation) as caught:
        drive(handler, answers)
    assert caught.value.code == "HW205"
    assert caught.value.where == line_of(handler, "forgotten")
    finding = caught.value.finding
    assert (finding.kind, finding.function) == ("mutation", "tasks:go")
    assert answers.requests == [1]


def test_requests_in_a_list_are_named_by_the_first() -> None:
    """Several forgotten ones are counted."""

    async def handler(run: Run) -> None:
        [run.ask(number) for number in range(3)]

    with pytest.raises(RuleViolation, match=r"never awaited \(and 2 more\)"):
        drive(handler)


def test_using_an_answer_without_await_is_explained() -> None:
    """'coroutine' object has no attribute: the missing await is the news."""

    async def handler(run: Run) -> Any:
        return run.ask("task").title  # type: ignore[attr-defined]

    with pytest.raises(RuleViolation) as caught:
        drive(handler)
    assert caught.value.code == "HW205"
    assert isinstance(caught.value.__cause__, AttributeError)


def test_another_error_is_not_covered_up() -> None:
    """A handler that fails with requests still unawaited is told of its failure."""

    async def handler(run: Run) -> None:
        asked: Any = run.ask(1)
        raise LookupError(type(asked).__name__)

    with pytest.raises(LookupError, match="coroutine"):
        drive(handler)


def test_a_request_may_be_dropped_on_purpose() -> None:
    """Closing the coroutine says so."""

    async def handler(run: Run) -> int:
        run.ask("not needed").close()
        later: Any = run.ask(1)
        return await later  # type: ignore[no-any-return]

    assert drive(handler) == 1


def test_tracked_coroutines_must_be_awaited_too() -> None:
    """A coroutine that asks more than once is bound to its call like a single request."""

    async def first(run: Run) -> Any:
        return (await run.ask([1, 2]))[0]

    async def good(run: Run) -> Any:
        return await run.tracked(first(run))

    async def bad(run: Run) -> None:
        run.tracked(first(run))  # type: ignore[unused-coroutine]

    assert drive(good) == 1
    with pytest.raises(RuleViolation) as caught:
        drive(bad)
    assert (caught.value.code, caught.value.where) == ("HW205", line_of(bad, "run.tracked"))


def test_a_generator_left_by_break_is_closed_in_time() -> None:
    """Its `finally` runs before the call ends, and may ask."""

    async def numbers(run: Run) -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await run.ask("closed")

    async def handler(run: Run) -> int:
        async for number in numbers(run):
            if number == 1:
                break
        return await run.ask("after")

    answers = Answers()
    assert drive(handler, answers) == "after"
    assert answers.requests == ["after", "closed"]


def test_generators_are_closed_when_the_handler_fails() -> None:
    """And an error of theirs is not lost when it succeeds."""

    async def numbers(run: Run) -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await run.ask(LookupError("closing"))

    async def fails(run: Run) -> None:
        async for number in numbers(run):
            raise ZeroDivisionError(number)

    async def succeeds(run: Run) -> None:
        async for _ in numbers(run):
            break

    answers = Answers()
    with pytest.raises(LookupError, match="closing"):
        drive(fails, answers)
    with pytest.raises(LookupError, match="closing"):
        drive(succeeds, answers)
    assert len(answers.requests) == 2


def test_a_handler_that_ignores_its_end_is_let_go() -> None:
    """The engine's own failure ends a call though the handler catches everything and asks on."""

    class Broken(BaseException):
        pass

    def answer(_batch: list[Any]) -> list[Outcome]:
        raise Broken

    async def handler(run: Run) -> None:
        for _ in range(50):
            try:
                await run.ask(1)
            except BaseException:
                continue

    run = Run(answer, function="t:f", kind="query", limit_s=None)
    with pytest.raises(HeadwaterError, match="Broken"):
        run.drive(handler(run))
    assert not run.live


def test_ctx_does_not_outlive_its_call() -> None:
    """A ctx kept in a global raises, and says where it was used."""
    kept: list[Run] = []

    async def keep(run: Run) -> None:
        kept.append(run)

    async def use(_run: Run) -> None:
        await kept[0].ask("late")

    drive(keep)
    with pytest.raises(RuleViolation, match="has ended") as caught:
        drive(use)
    assert (caught.value.code, caught.value.where) == ("HW206", line_of(use, "late"))


# --- ends ---


@pytest.mark.parametrize("error", [SystemExit(3), asyncio.CancelledError(), GeneratorExit()])
def test_no_handler_ends_the_engine(error: BaseException) -> None:
    """What would end a process or a task becomes an ordinary error of the call."""

    async def handler(_run: Run) -> None:
        raise error

    with pytest.raises(HeadwaterError, match=type(error).__name__) as caught:
        drive(handler)
    assert caught.value.__cause__ is error


def test_control_c_passes() -> None:
    """KeyboardInterrupt is the operator's; the call is over and buried."""

    async def handler(_run: Run) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(handler)


def test_calls_nest() -> None:
    """A request may be answered by driving another handler; its errors reach the outer one."""

    async def inner(run: Run) -> None:
        await asyncio.gather(run.ask(1), run.ask(2))
        await asyncio.sleep(1)

    def answer(batch: list[Any]) -> list[Outcome]:
        run = Run(Answers(), function="tasks:inner", kind="query", limit_s=10)
        try:
            return [Outcome(run.drive(inner(run)))]
        except HeadwaterError as error:
            return [Outcome(error=error) for _ in batch]

    async def outer(run: Run) -> str:
        try:
            await run.ask("sub-call")
        except RuleViolation as violation:
            finding, helped = violation.finding, asyncio.gather(_helper_of(1), _helper_of(2))
            return f"{finding.kind} {finding.function} {len(await helped)}"
        return "missed"

    async def _helper_of(number: int) -> int:
        return number

    run = Run(answer, function="tasks:outer", kind="mutation", limit_s=10)
    assert run.drive(outer(run)) == "query tasks:inner 2"


def test_it_works_inside_a_running_loop() -> None:
    """In a notebook or an async test: the outer loop goes on as before."""

    async def handler(run: Run) -> Any:
        return await asyncio.gather(run.ask(1), run.ask(2))

    async def outer() -> list[Any]:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        hooks = sys.get_asyncgen_hooks()
        got = drive(handler)
        assert asyncio.get_running_loop() is loop
        assert asyncio.current_task() is task
        assert sys.get_asyncgen_hooks() == hooks
        await asyncio.sleep(0.001)
        return [*got, *await asyncio.gather(asyncio.sleep(0, 3))]

    assert asyncio.run(outer()) == [1, 2, 3]


def test_nothing_of_a_call_stays_set() -> None:
    """Without an outer loop there is none afterwards either, and asyncio.run works."""

    async def fails(_run: Run) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        drive(fails)
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()
    assert sys.get_asyncgen_hooks() == (None, None)
    assert asyncio.run(asyncio.sleep(0, "fine")) == "fine"


def test_a_plain_call_leaves_no_cycles() -> None:
    """Nothing is left to the garbage collector by a call that needed no loop."""

    async def handler(run: Run) -> Any:
        return await run.ask(1)

    gc.disable()
    try:
        assert 0 in [_left_by(handler) for _ in range(5)]  # other threads leave something at times
    finally:
        gc.enable()


def _left_by(handler: Callable[[Run], Coroutine[Any, Any, Any]]) -> int:
    """How much a call leaves to the garbage collector."""
    while gc.collect():
        pass  # what earlier tests left, and what that lets go
    drive(handler)
    return gc.collect()


def test_a_call_is_forgotten_with_its_ctx() -> None:
    """Nothing keeps the last call: neither its ctx nor what its handler held."""
    runs: list[weakref.ref[Run]] = []

    async def handler(run: Run) -> Any:
        runs.append(weakref.ref(run))
        return await run.ask(1)

    drive(handler)
    assert runs[0]() is None
