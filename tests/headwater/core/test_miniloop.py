"""What a handler may not await: each is refused with its rule and the user's line, for good."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from types import coroutine
from typing import Any

import pytest

from headwater.core.driver import Run
from headwater.errors import RuleViolation
from tests.headwater.core.handlers import Answers, Handler, drive, line_of


async def _sleep(_run: Run) -> None:
    await asyncio.sleep(1)  # here


async def _timeout(run: Run) -> None:
    async with asyncio.timeout(1):  # here
        await run.ask(1)


async def _wait_for(run: Run) -> None:
    await asyncio.wait_for(run.ask(1), 1)  # here


async def _to_thread(_run: Run) -> None:
    await asyncio.to_thread(print)  # here


async def _executor(_run: Run) -> None:
    with ThreadPoolExecutor() as pool:
        await asyncio.get_running_loop().run_in_executor(pool, print)  # here


async def _connection(_run: Run) -> None:
    await asyncio.open_connection("127.0.0.1", 9)  # here


async def _subprocess(_run: Run) -> None:
    await asyncio.create_subprocess_exec("true")  # here


async def _resolve(_run: Run) -> None:
    await asyncio.get_running_loop().getaddrinfo("localhost", 80)  # here


async def _later(_run: Run) -> None:
    asyncio.get_running_loop().call_later(1, print)  # here


async def _nobody_sets(_run: Run) -> None:
    await asyncio.Event().wait()  # here


async def _first_come(run: Run) -> None:
    asked: list[Any] = [run.ask(1), run.ask(2)]
    for one in asyncio.as_completed(asked):  # here
        await one


async def _first_come_of_tasks(run: Run) -> None:
    tasks: list[Any] = [asyncio.create_task(run.ask(number)) for number in range(2)]
    for one in asyncio.as_completed(tasks):  # here
        await one


async def _wait(run: Run) -> None:
    await asyncio.wait([asyncio.create_task(run.ask(1))])  # here


async def _wait_on_futures(_run: Run) -> None:
    future = asyncio.get_running_loop().create_future()
    future.set_result(1)
    await asyncio.wait([future])  # here


REFUSED: list[tuple[Handler, str, str]] = [
    (_sleep, "HW204", "asyncio.sleep()"),
    (_timeout, "HW204", "asyncio.timeout()"),
    (_wait_for, "HW204", "asyncio.wait_for()"),
    (_to_thread, "HW204", "asyncio.to_thread()"),
    (_executor, "HW204", "starts a thread"),
    (_connection, "HW203", "asyncio.open_connection()"),
    (_subprocess, "HW203", "asyncio.create_subprocess_exec()"),
    (_resolve, "HW203", "outside world"),
    (_later, "HW204", "waits for time"),
    (_nobody_sets, "HW204", "no ctx call will ever"),
    (_first_come, "HW204", "asyncio.as_completed()"),
    (_first_come_of_tasks, "HW204", "asyncio.as_completed()"),
    (_wait, "HW204", "asyncio.wait()"),
    (_wait_on_futures, "HW204", "asyncio.wait()"),
]
NAMES = [handler.__name__ for handler, _, _ in REFUSED]


@pytest.mark.parametrize(("handler", "code", "what"), REFUSED, ids=NAMES)
def test_foreign_awaits_are_refused(handler: Handler, code: str, what: str) -> None:
    """The violation has the rule, the call as the user wrote it, and their line."""
    with pytest.raises(RuleViolation) as caught:
        drive(handler)
    assert caught.value.code == code
    assert what in str(caught.value)
    assert caught.value.where == line_of(handler, "# here")
    assert caught.value.fix


@pytest.mark.parametrize(("handler", "code", "what"), REFUSED, ids=NAMES)
def test_catching_a_violation_does_not_undo_it(handler: Handler, code: str, what: str) -> None:
    """Sticky: the call fails with it though the handler swallowed it and returned."""

    async def swallows(run: Run) -> int:
        with contextlib.suppress(BaseException):
            await handler(run)
        return await run.ask(1)

    with pytest.raises(RuleViolation) as caught:
        drive(swallows)
    assert (caught.value.code, caught.value.where) == (code, line_of(handler, "# here"))
    assert what in str(caught.value)


def test_a_violation_goes_before_what_it_led_to() -> None:
    """An error raised after a swallowed violation is its cause in the report, not the report."""

    async def handler(run: Run) -> None:
        with contextlib.suppress(RuleViolation):
            await _sleep(run)
        raise LookupError("because nothing was slept")

    with pytest.raises(RuleViolation, match=r"asyncio\.sleep") as caught:
        drive(handler)
    assert isinstance(caught.value.__cause__, LookupError)


@pytest.mark.parametrize(("handler", "code", "what"), REFUSED, ids=NAMES)
def test_violations_in_tasks_name_the_line_too(handler: Handler, code: str, what: str) -> None:
    """The same inside a gather."""

    async def gathers(run: Run) -> None:
        await asyncio.gather(handler(run), run.ask(1))

    with pytest.raises(RuleViolation) as caught:
        drive(gathers)
    assert (caught.value.code, caught.value.where) == (code, line_of(handler, "# here"))
    assert what in str(caught.value)


def test_a_task_left_running_is_named_where_it_was_made() -> None:
    """A handler ends with all it began."""

    async def handler(run: Run) -> Any:
        task: Any = asyncio.create_task(run.ask(1))
        return await run.ask(task.done())

    with pytest.raises(RuleViolation, match="left running") as caught:
        drive(handler)
    assert (caught.value.code, caught.value.where) == ("HW204", line_of(handler, "create_task"))


def test_a_task_that_failed_unseen_is_no_secret() -> None:
    """Its exception becomes the call's, with the task's line."""

    async def fails(run: Run) -> None:
        await run.ask(LookupError("lost"))

    async def handler(run: Run) -> None:
        task = asyncio.create_task(fails(run))
        while not task.done():
            await asyncio.sleep(0)

    with pytest.raises(RuleViolation, match="failed and nobody") as caught:
        drive(handler)
    assert isinstance(caught.value.__cause__, LookupError)
    assert caught.value.where == line_of(handler, "create_task")


def test_a_stuck_task_is_named_rather_than_its_gather() -> None:
    """The line that waits is the one inside the task."""

    async def waits() -> None:
        await asyncio.Event().wait()

    async def handler(run: Run) -> None:
        await asyncio.gather(run.ask(1), waits())

    with pytest.raises(RuleViolation) as caught:
        drive(handler)
    assert caught.value.where == line_of(waits, "Event()")


@pytest.mark.parametrize("swallow", [False, True])
def test_a_second_event_loop_is_refused(swallow: bool) -> None:
    """asyncio.run inside a handler gets our words; caught, it did nothing and costs nothing."""

    async def handler(run: Run) -> Any:
        inner = asyncio.sleep(0)
        try:
            asyncio.run(inner)
        except RuntimeError:
            if not swallow:
                raise
        finally:
            inner.close()
        return await run.ask(1)

    if swallow:
        assert drive(handler) == 1
        return
    with pytest.raises(RuleViolation, match="second event loop") as caught:
        drive(handler)
    assert caught.value.where == line_of(handler, "asyncio.run")


def test_a_future_of_another_loop_is_refused() -> None:
    """A notebook's own future cannot be waited for while a handler runs."""

    async def outer() -> None:
        future = asyncio.get_running_loop().create_future()

        async def handler(_run: Run) -> None:
            await future

        with pytest.raises(RuleViolation, match="another event loop") as caught:
            drive(handler)
        assert caught.value.where == line_of(handler, "await future")

    asyncio.run(outer())


def test_the_awaitable_of_another_library_is_refused() -> None:
    """Whatever it yields, it is no request."""

    @coroutine
    def trap() -> Generator[str, None, None]:
        yield "of another library"

    async def handler(_run: Run) -> None:
        await trap()

    with pytest.raises(RuleViolation, match=r"awaits builtins\.str"):
        drive(handler)


def test_the_ctx_of_another_live_call_is_refused() -> None:
    """An outer call's ctx, kept in a global, does not work in the inner call."""
    outer_run: list[Run] = []

    async def inner(_run: Run) -> Any:
        return await outer_run[0].ask("stolen")

    def answer(_request: Any) -> Any:
        return drive(inner)

    async def outer(run: Run) -> Any:
        outer_run.append(run)
        return await run.ask("sub-call")

    run = Run(answer_one=answer, function="t:f", kind="mutation", limit_s=None)
    with pytest.raises(RuleViolation) as caught:
        run.drive(outer(run))
    assert (caught.value.code, caught.value.where) == ("HW206", line_of(inner, "stolen"))


def test_waiting_without_time_is_no_timer() -> None:
    """sleep(0), timeout(None) and wait_for(None) wait for nothing but ctx."""

    async def handler(run: Run) -> Any:
        await asyncio.sleep(0)
        return await asyncio.wait_for(run.ask(1), None)

    assert drive(handler) == 1


def test_results_come_in_the_same_order_every_time() -> None:
    """Tasks of different length meet in a queue in one order only."""

    async def worker(run: Run, queue: asyncio.Queue[int], number: int) -> None:
        for step in range(number % 3 + 1):
            await run.ask((number, step))
        await queue.put(number)

    async def handler(run: Run) -> list[int]:
        queue = asyncio.Queue[int]()
        await asyncio.gather(*[worker(run, queue, number) for number in range(20)])
        return [queue.get_nowait() for _ in range(20)]

    runs = [Answers() for _ in range(5)]
    assert len({tuple(drive(handler, answers)) for answers in runs}) == 1
    assert len({str(answers.batches) for answers in runs}) == 1


def test_a_thread_gets_nothing_from_ctx() -> None:
    """A thread a handler started may not ask: its own loop refuses what it is handed."""
    raised: list[BaseException] = []

    async def handler(run: Run) -> int:
        def work() -> None:
            try:
                asyncio.run(_await(run.ask("from a thread")))
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return 1

    async def _await(asked: Any) -> Any:
        return await asked

    answers = Answers()
    assert drive(handler, answers) == 1
    assert isinstance(raised[0], RuntimeError)
    assert answers.requests == []
