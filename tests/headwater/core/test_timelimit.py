"""Code that runs too long is stopped with its name and line; the engine's own code never is."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import logging
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from types import FrameType
from typing import Any

import pytest

from headwater.core import timelimit
from headwater.core.driver import Run
from headwater.core.timelimit import HardLimit, watch_here
from headwater.errors import AppError, TimeLimitExceeded
from tests.headwater.core.handlers import Answers, Handler, drive, line_of

LIMIT_S = 0.05
posix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer signal")


def stopped(handler: Handler, limit_s: float = LIMIT_S) -> TimeLimitExceeded:
    """The error of a handler that is stopped; the next call must work."""
    with pytest.raises(TimeLimitExceeded) as caught:
        drive(handler, limit_s=limit_s)

    async def next_call(run: Run) -> list[Any]:
        return [await run.ask(1), *await asyncio.gather(run.ask(2))]

    assert drive(next_call) == [1, 2]
    assert sys.gettrace() is None or "headwater" not in repr(sys.gettrace())
    return caught.value


def in_thread(work: Any) -> None:
    """Runs it in another thread, where no signal arrives; its failure is the test's."""
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    if raised:
        raise raised[0]


# --- handlers that do not end by themselves; `here` is in every line that runs on ---


def _f() -> None:  # here
    """Called by hostile handlers: each call is a chance to stop them."""  # here


async def _loop(_run: Run) -> None:
    while True:  # here
        pass  # here


async def _comprehension(_run: Run) -> None:
    [number + 1 for number in count()]  # here


async def _except_exception(_run: Run) -> None:
    while True:  # here
        with contextlib.suppress(Exception):  # here
            _f()  # here


async def _bare_except(_run: Run) -> None:
    while True:  # here
        try:  # here
            while True:  # here
                pass  # here
        except:  # noqa: E722 - what a learner writes
            pass  # here


async def _finally_continue(_run: Run) -> None:
    while True:  # here
        try:  # here
            _f()  # here
        finally:
            continue  # noqa: B012 # here


async def _nested(_run: Run) -> None:
    while True:  # here
        try:  # here
            try:  # here
                _f()  # here
            except:  # noqa: E722
                _f()  # here
            finally:
                _f()  # here
        except:  # noqa: E722
            try:  # here
                _f()  # here
            except:  # noqa: E722
                _f()  # here
            finally:
                _f()  # here
                continue  # noqa: B012 # here


async def _asks_for_ever(run: Run) -> None:
    while True:  # here
        with contextlib.suppress(BaseException):  # here
            await run.ask(1)  # here


async def _catches_what_it_asks(run: Run) -> None:
    while True:  # here
        try:  # noqa: SIM105 # here
            await run.ask(1)  # here
        except BaseException:
            pass  # here


async def _gathers_for_ever(run: Run) -> None:
    while True:  # here
        with contextlib.suppress(BaseException):  # here
            await asyncio.gather(run.ask(1), run.ask(2))  # here


async def _finally_loops(_run: Run) -> None:
    try:
        while True:  # here
            pass  # here
    finally:
        while True:  # here
            pass  # here


async def _recursion(_run: Run) -> None:
    def deeper() -> None:
        while True:  # here
            try:  # noqa: SIM105 # here
                deeper()  # here
            except RecursionError:
                pass  # here

    deeper()


async def _sleep_zero(_run: Run) -> None:
    while True:  # here
        await asyncio.sleep(0)  # here


async def _task(_run: Run) -> None:
    await asyncio.gather(_loop(_run), _loop(_run))


async def _sleep(_run: Run) -> None:
    time.sleep(60)  # here


async def _lock(_run: Run) -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()  # here


async def _event(_run: Run) -> None:
    threading.Event().wait()  # here


async def _regex(_run: Run) -> None:
    re.match(r"(a+)+$", "a" * 64 + "b")  # here


LOOPS: list[Handler] = [
    _loop,
    _comprehension,
    _except_exception,
    _bare_except,
    _finally_continue,
    _nested,
    _asks_for_ever,
    _catches_what_it_asks,
    _gathers_for_ever,
    _finally_loops,
    _recursion,
    _sleep_zero,
]
BLOCKS: list[Handler] = [_sleep, _lock, _event, _regex]


def lines_marked(*handlers: Any) -> set[str]:
    """Each `file:line` of these handlers that holds `here`."""
    marked = set()
    for handler in handlers:
        lines, first = inspect.getsourcelines(handler)
        marked |= {
            f"{__file__}:{first + number}" for number, line in enumerate(lines) if "# here" in line
        }
    return marked


@posix
@pytest.mark.parametrize("handler", LOOPS + BLOCKS, ids=lambda one: one.__name__)
def test_on_the_main_thread_everything_in_python_stops(handler: Handler) -> None:
    """Loops, hostile handlers, sleeps, locks and regular expressions, with function and line."""
    error = stopped(handler)
    assert "mutation tasks:go ran longer than its limit of 0.05 s" in str(error)
    assert re.findall(r"at (\S+:\d+)\.", str(error))[0] in lines_marked(handler, _f)
    assert error.fix


# A shot may hit what hypothesis has for the collector of garbage; the patrol's next one hits.
@pytest.mark.filterwarnings("ignore:.*gc_callback:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("handler", LOOPS, ids=lambda one: one.__name__)
def test_in_another_thread_loops_stop(handler: Handler) -> None:
    """Without a signal the patrol stops what runs Python code; the line is named too."""
    errors: list[TimeLimitExceeded] = []
    in_thread(lambda: errors.append(stopped(handler)))
    assert re.findall(r"at (\S+:\d+)\.", str(errors[0]))[0] in lines_marked(handler, _f)


@posix
def test_a_loop_in_a_task_stops() -> None:
    """The same inside a gather."""
    assert any(place in str(stopped(_task)) for place in lines_marked(_loop))


@posix
def test_a_call_that_ended_after_its_limit_was_stopped_too() -> None:
    """A shot swallowed in `__del__` does not make the call succeed, nor is it told to anybody."""

    class Endless:
        def __del__(self) -> None:
            while True:
                pass

    async def handler(_run: Run) -> str:
        Endless()
        return "as if nothing had been"

    hook = sys.unraisablehook
    stopped(handler)
    assert sys.unraisablehook is hook


def test_a_late_answer_counts_as_late() -> None:
    """The limit is of the whole call: the engine's answers are not cut, but they take time."""
    finished: list[Any] = []

    def answer(request: Any) -> Any:
        until = time.monotonic() + 3 * LIMIT_S
        while time.monotonic() < until:
            pass
        finished.append(request)
        return request

    async def handler(run: Run) -> Any:
        return await run.ask("slow")

    run = Run(answer_one=answer, function="t:f", kind="query", limit_s=LIMIT_S)
    with pytest.raises(TimeLimitExceeded) as caught:
        run.drive(handler(run))
    assert finished == ["slow"]
    assert line_of(handler, "slow") in str(caught.value)


def test_an_error_raised_after_the_limit_is_a_late_call() -> None:
    """What the handler raised is kept as the context, not as the answer."""

    async def handler(_run: Run) -> None:
        try:
            while True:
                pass
        except BaseException:
            raise AppError("too late") from None

    stopped(handler)


def test_no_limit_is_no_limit() -> None:
    """None lets a handler take its time."""

    async def handler(_run: Run) -> float:
        until = time.monotonic() + 3 * LIMIT_S
        while time.monotonic() < until:
            pass
        return 1.0

    assert drive(handler, limit_s=None) == 1.0


# --- calls in calls ---


def _nest(outer_limit_s: float, inner_limit_s: float | None) -> Any:
    """An endless query inside a mutation that catches its error and returns it."""

    def answer(_request: Any) -> Any:
        run = Run(Answers(), function="tasks:inner", kind="query", limit_s=inner_limit_s)
        return run.drive(_loop(run))

    async def outer(run: Run) -> Any:
        try:
            await run.ask("sub-call")
        except TimeLimitExceeded as error:
            return str(error)

    run = Run(answer_one=answer, function="tasks:outer", kind="mutation", limit_s=outer_limit_s)
    return run.drive(outer(run))


def test_a_nested_call_has_its_own_limit() -> None:
    """The outer call goes on when the inner is stopped."""
    assert "query tasks:inner ran longer than its limit of 0.05 s" in _nest(10, LIMIT_S)


@pytest.mark.parametrize("inner_limit_s", [None, 10.0])
def test_the_outer_limit_holds_inside_nested_calls(inner_limit_s: float | None) -> None:
    """It is the outer call that is late; it is not asked whether it minds."""
    with pytest.raises(TimeLimitExceeded) as caught:
        _nest(LIMIT_S, inner_limit_s)
    assert "mutation tasks:outer ran longer than its limit of 0.05 s" in str(caught.value)
    assert any(place in str(caught.value) for place in lines_marked(_loop))


@posix
def test_after_a_nested_call_the_outer_limit_is_armed_again() -> None:
    """An outer loop after a short inner call is stopped."""

    def answer(request: Any) -> Any:
        async def inner(_run: Run) -> Any:
            return request

        return drive(inner)

    async def outer(run: Run) -> None:
        await run.ask("sub-call")
        await _loop(run)

    run = Run(answer_one=answer, function="t:f", kind="mutation", limit_s=LIMIT_S)
    with pytest.raises(TimeLimitExceeded):
        run.drive(outer(run))


# --- the engine is never hit ---


def _hammer(calls: int) -> None:
    """Many calls at their limit; the answers must run whole, and nothing else come out."""
    broken: list[int] = []
    steps = 0

    def answer(request: Any) -> Any:
        nonlocal steps
        before = steps
        for _ in range(50):
            steps += 1
        if steps != before + 50:
            broken.append(steps)
        return request

    async def handler(run: Run) -> None:
        while True:
            with contextlib.suppress(Exception):
                await run.ask(1)

    for _ in range(calls):
        run = Run(answer_one=answer, function="t:f", kind="query", limit_s=0.001)
        with pytest.raises(TimeLimitExceeded):
            run.drive(handler(run))
        assert steps % 50 == 0
        assert sum(range(1000)) == 499_500  # a late exception would be raised here
    assert not broken


@posix
def test_signals_never_hit_the_engine() -> None:
    """A thousand calls stopped by the signal: no answer was cut, no exception came late."""
    _hammer(1000)


def test_the_patrol_never_hits_the_engine() -> None:
    """The same in a thread, where exceptions are set from outside."""
    in_thread(lambda: _hammer(100))


def test_short_calls_just_under_the_limit_are_left_alone() -> None:
    """Calls that end about when the timer fires succeed or are late; the next is never hit."""

    async def handler(run: Run) -> Any:
        until = time.monotonic() + 0.002
        while time.monotonic() < until:
            await run.ask(1)
        return "done"

    async def quick(run: Run) -> Any:
        return await run.ask("quick")

    for _ in range(200):
        with contextlib.suppress(TimeLimitExceeded):
            assert drive(handler, limit_s=0.002) == "done"
        assert drive(quick) == "quick"


def _take_and_give(lock: Any) -> None:
    assert lock.acquire(timeout=0), "the lock is held"
    lock.release()


@posix
def test_an_alarm_before_its_time_stops_nothing() -> None:
    """A signal from elsewhere, or one of the previous call, means no call in particular."""

    async def handler(run: Run) -> Any:
        signal.raise_signal(signal.SIGALRM)
        return await run.ask("in time")

    assert drive(handler) == "in time"


def test_a_shot_meant_for_an_ended_call_stops_nothing() -> None:
    """The patrol aims at a deadline: when it shoots, that call may be over and another begun."""

    async def handler(run: Run) -> Any:
        watch = watch_here()
        timelimit._fire(watch, sys._getframe(), watch.deadline - 1)
        return await run.ask("in time")

    assert drive(handler) == "in time"


@posix
def test_logging_is_not_cut_while_it_holds_its_lock() -> None:
    """Other threads can log after a handler was stopped in the middle of logging."""
    logger = logging.getLogger("tests.timelimit")
    logger.propagate = False
    handler = logging.Handler()
    handler.emit = lambda record: None  # type: ignore[method-assign]
    logger.addHandler(handler)

    async def logs(_run: Run) -> None:
        while True:
            logger.warning("again")

    for _ in range(50):
        with pytest.raises(TimeLimitExceeded):
            drive(logs, limit_s=0.002)
        assert handler.lock is not None
        in_thread(lambda: _take_and_give(handler.lock))


# --- what belongs to others ---


@pytest.fixture
def foreign_alarm() -> Iterator[list[int]]:
    """Somebody else's SIGALRM handler, and what it was called with."""
    timelimit.alarm.close()
    calls: list[int] = []
    previous = signal.signal(signal.SIGALRM, lambda number, _frame: calls.append(number))
    yield calls
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


@posix
def test_a_foreign_alarm_is_left_alone(foreign_alarm: list[int]) -> None:
    """A test runner's own timeout keeps its handler and its timer; the patrol stands in."""
    handler = signal.getsignal(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 30)
    stopped(_loop)
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert foreign_alarm == []


@posix
def test_closing_puts_the_previous_handler_back() -> None:
    """Not each call, but `close` does."""
    timelimit.alarm.close()
    before = signal.getsignal(signal.SIGALRM)
    stopped(_loop)
    during = signal.getsignal(signal.SIGALRM)
    stopped(_loop)
    assert signal.getsignal(signal.SIGALRM) is during is not before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    timelimit.alarm.close()
    assert signal.getsignal(signal.SIGALRM) is before


@posix
def test_a_trace_function_is_put_back() -> None:
    """Coverage and debuggers go on after a handler was stopped."""
    previous = sys.gettrace()

    def trace(_frame: FrameType, _event: str, _argument: Any) -> None:
        return None

    sys.settrace(trace)
    try:
        with pytest.raises(TimeLimitExceeded):
            drive(_nested, limit_s=LIMIT_S)
        assert sys.gettrace() is trace
    finally:
        sys.settrace(previous)


@posix
def test_a_debugger_has_all_the_time_there_is() -> None:
    """A handler stopped at a breakpoint is not stopped a second time."""
    prompt = {"__name__": "bdb", "time": time, "until": time.monotonic() + 4 * LIMIT_S}
    exec("def interaction():\n    while time.monotonic() < until:\n        pass", prompt)

    async def handler(_run: Run) -> str:
        prompt["interaction"]()  # type: ignore[operator]
        return "debugged"

    assert drive(handler, limit_s=LIMIT_S) == "debugged"
    assert not watch_here().debugged
    stopped(_loop)


# --- the hard limit ---

HARD = """
import sys
from headwater.core.driver import Run
from headwater.core.timelimit import HardLimit

async def handler(run):
    return sum(range(10**13))  # one call into C, without signal checks

hard = HardLimit(0.5)
hard.arm()
run = Run(answer_one=print, function="tasks:go", kind="query", limit_s=0.1)
run.drive(handler(run))
"""


def test_the_hard_limit_ends_the_process_and_prints_the_line() -> None:
    """A long call into C, which no signal stops, ends with the process; its line is told."""
    ran = subprocess.run(
        [sys.executable, "-c", HARD], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 1
    assert "line 7 in handler" in ran.stderr


def test_a_disarmed_hard_limit_ends_nothing() -> None:
    """Arming again and again moves it, disarming stops it."""
    code = (
        "import time; from headwater.core.timelimit import HardLimit\n"
        "hard = HardLimit(0.2)\n"
        "end = time.monotonic() + 0.5\n"
        "while time.monotonic() < end: hard.arm()\n"
        "hard.disarm(); time.sleep(0.4); print('alive')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "alive\n", "")
    assert HardLimit(1.0)


@posix
@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_a_forked_child_has_limits_too() -> None:
    """The patrol's thread does not survive a fork; the child starts its own."""
    code = (
        "import json, os, sys, threading\n"
        "from headwater.core.driver import Run\n"
        "from headwater.errors import TimeLimitExceeded\n"
        "async def loop(run):\n"
        "    while True: pass\n"
        "def go():\n"
        "    run = Run(answer_one=print, function='t:f', kind='query', limit_s=0.05)\n"
        "    try: run.drive(loop(run))\n"
        "    except TimeLimitExceeded: return 'stopped'\n"
        "def both():\n"
        "    got = [go()]\n"
        "    thread = threading.Thread(target=lambda: got.append(go()))\n"
        "    thread.start(); thread.join()\n"
        "    return got\n"
        "print(json.dumps(both()), flush=True)\n"
        "if os.fork() == 0:\n"
        "    print(json.dumps(both()), flush=True); os._exit(0)\n"
        "os.wait()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [["stopped"] * 2] * 2
