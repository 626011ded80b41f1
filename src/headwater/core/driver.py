"""Handlers are driven, not awaited: this runs a handler to its end and answers what it asks of ctx.

A handler's coroutine is stepped by hand. What it awaits on ctx arrives here as a request and is
answered outside of user code; nothing else can be awaited. Only when it waits on a future, which
`gather` and task groups do, its tasks run on the mini loop.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic
from types import AsyncGeneratorType, CodeType, FrameType, coroutine
from typing import Any, TypeVar

from headwater.core.callsite import LIBRARY, Ranks, code_site, ranks_of, site_of, user_site
from headwater.core.miniloop import PASSES, HandlerAsTask, MiniLoop
from headwater.core.timelimit import Stopped, watch_here
from headwater.errors import HeadwaterError, RuleViolation, TimeLimitExceeded

T = TypeVar("T")
R = TypeVar("R")

_CLOSINGS = 10  # tries to end a handler that catches GeneratorExit
_unclosable: list[Any] = []  # kept for ever: collecting them would run their code in the engine

_FIXES = {
    "HW203": "do outside work in an action, and pass what it found to a mutation",
    "HW204": "await ctx calls only, several at once with asyncio.gather; waiting and background "
    "work belong in an action",
    "HW205": "write `await` before it",
    "HW206": "use the ctx your function is given, and keep it nowhere",
}


@dataclass(slots=True)
class Outcome:
    """The answer to one request: a value, or an error to raise where it was awaited."""

    value: Any = None
    error: BaseException | None = None


Answer = Callable[[list[Any]], list[Outcome]]
"""Answers a batch of requests: one outcome each, in order."""


class Run:
    """One live call: ties every ctx request to it.

    Args:
        answer: answers a batch; by default each request alone by `answer_one`.
        answer_one: answers one request, by its value or by raising; the fast way.
        function: the function's path, for messages.
        kind: query, mutation or action, for messages.
        limit_s: seconds its handler may take, or None.
        root: the project's folder, the one that holds `backend/`.

    Attributes:
        live: False once the handler has ended; requests raise from then on.
        violation: the first rule broken; `drive` raises it though the handler caught it.
    """

    def __init__(
        self,
        answer: Answer | None = None,
        *,
        answer_one: Callable[[Any], Any] | None = None,
        function: str,
        kind: str,
        limit_s: float | None,
        root: Path | None = None,
    ) -> None:
        if answer_one is None and answer is None:
            raise ValueError("a Run needs `answer` or `answer_one`")
        self._answer = answer or self._answer_each
        self._answer_one = answer_one or self._answer_alone
        self.function, self.kind, self.limit_s = function, kind, limit_s
        self.live = True
        self.violation: RuleViolation | None = None
        self._ranks = ranks_of(root)
        self._root = root
        self._made = 0
        self._unawaited: dict[int, tuple[Any, CodeType, int]] = {}
        self._asked: Any = None
        self._in_task = False
        self._generators: list[Any] = []
        self._deadline = inf

    # -- the handler's side ------------------------------------------------------------------------

    def ask(self, request: Any, then: Callable[[Any], T] | None = None) -> Coroutine[Any, Any, T]:
        """A coroutine that gives the answer to `request` when awaited.

        Args:
            request: any object `answer` understands.
            then: converts the answer, in the handler's time.

        Raises:
            RuleViolation: the call this ctx belongs to has ended.
        """
        if not self.live:
            raise self._ended(sys._getframe(1))
        frame: Any = sys._getframe(1)
        ranks = self._ranks
        while not ranks[frame.f_code.co_filename]:
            frame = frame.f_back
        number = self._made = self._made + 1
        asked = self._request(number, request, then)
        self._unawaited[number] = (asked, frame.f_code, frame.f_lasti)
        return asked

    def tracked(self, inner: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """The same for a coroutine of the runtime that asks more than once: it must be awaited."""
        if not self.live:
            inner.close()
            raise self._ended(sys._getframe(1))
        frame: Any = sys._getframe(1)
        while not self._ranks[frame.f_code.co_filename]:
            frame = frame.f_back
        number = self._made = self._made + 1
        wrapped = _started(partial(self._unawaited.__delitem__, number), inner)
        self._unawaited[number] = (wrapped, frame.f_code, frame.f_lasti)
        return wrapped

    async def _request(self, number: int, request: Any, then: Callable[[Any], Any] | None) -> Any:
        del self._unawaited[number]
        if self._in_task:
            reply = await self._loop.post(request)
        else:
            self._asked = request
            reply = await _hand_over(self)
        return reply if then is None else then(reply)

    def refuse(self, code: str, what: str, frame: FrameType | None = None) -> RuleViolation:
        """Notes a broken rule for good and returns the violation, to be raised in the handler."""
        where = user_site(frame, self._root) if frame is not None else ""
        return self._violate(code, f"{_called(frame, self._ranks)}{what}", where)

    def _violate(self, code: str, what: str, where: str) -> RuleViolation:
        violation = RuleViolation(code, what, _FIXES[code], where, f"{self.kind} {self.function}")
        if self.violation is None:
            self.violation = violation
        return violation

    def _ended(self, frame: FrameType) -> RuleViolation:
        what = "uses the ctx of a call that has ended"
        return self._violate("HW206", what, user_site(frame, self._root))

    # -- the engine's side -------------------------------------------------------------------------

    def drive(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Runs the handler to its end.

        Raises:
            RuleViolation: it broke a rule, also when it caught the violation.
            TimeLimitExceeded: it ran past its limit, also when it ended by itself after it.
            Exception: what the handler raised.
        """
        self._handler = coroutine
        self._watch = watch = watch_here()
        self._context = copy_context()
        self._loop = loop = MiniLoop(self.refuse, self._ranks)
        self._task = task = HandlerAsTask(loop)
        hooks, outer_loop, self._outer = sys.get_asyncgen_hooks(), _running_loop(), watch.run
        outer_deadline, watch.run = watch.deadline, self
        sys.set_asyncgen_hooks(self._generators.append, None)
        _run_loop(loop)
        _enter_task(loop, task)  # type: ignore[arg-type]
        try:
            self._deadline = watch.start(self.limit_s)
            return self._to_the_end(coroutine)
        finally:
            self.live = False
            watch.finish(outer_deadline)
            watch.run = self._outer
            _leave_task(loop, task)  # type: ignore[arg-type]
            _run_loop(outer_loop)
            sys.set_asyncgen_hooks(*hooks)

    def _to_the_end(self, handler: Coroutine[Any, Any, R]) -> R:
        error: BaseException | None = None
        try:
            result = self._step_through(handler)
            if self._loose_ends():
                self._tie(None)
        except BaseException as raised:
            error = raised
        if error is None and monotonic() <= self._deadline:
            return result
        try:
            raise self._verdict(handler, error)
        finally:
            del error

    def _step_through(self, handler: Coroutine[Any, Any, R]) -> R:
        watch, loop, answer, run_in = self._watch, self._loop, self._answer_one, self._context.run
        send, throw = handler.send, handler.throw
        step: Callable[[Any], Any] = send
        value: Any = None
        while True:
            watch.in_user = True
            try:
                got = run_in(step, value)
                watch.in_user = False
            except StopIteration as end:
                watch.in_user = False
                if watch.fired:
                    watch.drain()
                return end.value  # type: ignore[no-any-return]
            except BaseException:
                watch.in_user = False
                if watch.fired:
                    watch.drain()
                raise
            if watch.fired:
                watch.drain()
                raise Stopped
            try:
                value = answer(self._asked) if got is self and not loop.active else self._wait(got)
                step = send
            except (Exception, asyncio.CancelledError) as error:
                if monotonic() > self._deadline:
                    raise
                value, step = error, throw

    def _wait(self, got: Any) -> Any:
        """Answers the handler where more than one request may be under way."""
        loop = self._loop
        if got is self:
            if not loop.ready and not loop.posted:
                return self._answer_one(self._asked)
            future = loop.post(self._asked)
            self._run_tasks_until(future)
            return future.result()
        if got is None:
            self._turn()
        elif getattr(got, "_asyncio_future_blocking", None) and got.get_loop() is loop:
            got._asyncio_future_blocking = False
            self._run_tasks_until(got)
        else:
            raise self._foreign(got)
        if self._task.cancelled_now:
            self._task.cancelled_now = False
            raise asyncio.CancelledError
        return None

    def _run_tasks_until(self, future: asyncio.Future[Any]) -> None:
        loop, task = self._loop, self._task
        task.waits_for = future
        try:
            while not future.done():
                if not loop.ready and not loop.posted:
                    raise self._stuck()
                self._turn()
        finally:
            task.waits_for = None

    def _turn(self) -> None:
        """Lets tasks go on until all of them wait, then answers their requests as one batch."""
        loop = self._loop
        if not loop.ready:
            return self._answer_posted()
        for _ in range(PASSES):
            self._pass_over_tasks()
            if not loop.ready or not loop.posted:
                return None
        return self._answer_posted()

    def _pass_over_tasks(self) -> None:
        _leave_task(self._loop, self._task)  # type: ignore[arg-type]
        self._in_task = True
        try:
            self._watch.guard(self._loop.one_pass)
        finally:
            self._in_task = False
            _enter_task(self._loop, self._task)  # type: ignore[arg-type]
        if self._watch.fired:
            raise Stopped

    def _answer_posted(self) -> None:
        posted = [entry for entry in self._loop.posted if not entry[1].done()]
        self._loop.posted.clear()
        outcomes = self._answer([request for request, _ in posted]) if posted else []
        for (_, future), outcome in zip(posted, outcomes, strict=True):
            if outcome.error is None:
                future.set_result(outcome.value)
            else:
                future.set_exception(outcome.error)

    def _answer_each(self, requests: list[Any]) -> list[Outcome]:
        return [self._outcome(request) for request in requests]

    def _outcome(self, request: Any) -> Outcome:
        try:
            return Outcome(self._answer_one(request))
        except Exception as error:
            return Outcome(error=error)

    def _answer_alone(self, request: Any) -> Any:
        (outcome,) = self._answer([request])
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    # -- the end -----------------------------------------------------------------------------------

    def _loose_ends(self) -> bool:
        return bool(
            self._generators or self._unawaited or self._loop.active or self.violation is not None
        )

    def _tie(self, error: BaseException | None) -> None:
        """Closes generators left by `break`; what the handler left open is a violation."""
        while self._generators:
            generator = self._generators.pop()
            if generator.ag_frame is not None and not generator.ag_running:
                self._step_through(_closing(generator))
        if self.violation is not None:
            raise self.violation
        if error is None:
            self._check_tasks()
            self._check_awaited()

    def _check_awaited(self) -> None:
        forgotten = [entry for entry in self._unawaited.values() if entry[0].cr_frame is not None]
        if forgotten:
            _, code, instruction = forgotten[0]
            more = f" (and {len(forgotten) - 1} more)" if len(forgotten) > 1 else ""
            what = f"a ctx call was made and never awaited{more}, so nothing happened"
            raise self._violate("HW205", what, code_site(code, instruction, self._ranks))

    def _check_tasks(self) -> None:
        for task, code, instruction in self._loop.tasks:
            where = code_site(code, instruction, self._ranks)
            if not task.done():
                raise self._violate("HW204", "a task made here was left running", where)
            if getattr(task, "_log_traceback", False):
                what = "a task made here failed and nobody awaited it"
                raise self._violate("HW204", what, where) from task.exception()

    def _verdict(self, handler: Any, error: BaseException | None) -> BaseException:
        """What the call ends with when it did not simply return; nothing of it stays behind."""
        stopped = self._watch.fired > 0 or monotonic() > self._deadline
        if not stopped and isinstance(error, Exception):
            error = self._tied(error)
            stopped = self._watch.fired > 0 or monotonic() > self._deadline
        verdict = self._worded(error, stopped)
        self._bury(handler)
        return verdict

    def _tied(self, error: Exception) -> BaseException:
        try:
            self._tie(error)
        except BaseException as later:
            return later
        return error

    def _worded(self, error: BaseException | None, stopped: bool) -> BaseException:
        if isinstance(error, KeyboardInterrupt):
            return error
        if stopped:
            return error if isinstance(error, TimeLimitExceeded) else self._time_limit(error)
        if self.violation is not None:
            return _because(self.violation, error)
        if isinstance(error, (AttributeError, TypeError)) and "coroutine" in str(error):
            try:
                self._check_awaited()
            except RuleViolation as violation:
                return _because(violation, error)
        if isinstance(error, RuntimeError) and _another_loop(error):
            what = "runs a second event loop inside a handler"
            return _because(self._violate("HW204", what, user_site(error, self._root)), error)
        if isinstance(error, Exception):
            return error
        name = type(error).__name__
        return _because(HeadwaterError(f"{self.kind} {self.function} raised {name}"), error)

    def _time_limit(self, error: BaseException | None) -> TimeLimitExceeded:
        run, now = self, monotonic()
        outer = self._outer
        while outer is not None:
            if now > outer._deadline:
                run = outer
            outer = outer._outer
        where = site_of(iter(self._watch.lines), self._ranks)
        where = where or user_site(error or self._handler, self._root)
        where = where or user_site(self._handler, self._root)
        return TimeLimitExceeded(f"{run.kind} {run.function}", run.limit_s or 0.0, where)

    def _bury(self, handler: Any) -> None:
        self.live = False
        self._kill(handler, handler.close, "cr_frame")
        for task, _, _ in self._loop.tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                left: Any = task.get_coro()
                self._kill(left, left.close, "cr_frame")
        for asked, _, _ in self._unawaited.values():
            asked.close()
        for generator in self._generators:
            self._kill(generator, partial(generator.aclose().send, None), "ag_frame")

    def _kill(self, owner: Any, close: Callable[[], Any], frame: str) -> None:
        for _ in range(_CLOSINGS):
            if getattr(owner, frame, None) is None:
                return
            try:
                self._watch.guard(self._context.run, close)
            except BaseException:
                continue
        if getattr(owner, frame, None) is not None:
            _unclosable.append(owner)

    # -- wording -----------------------------------------------------------------------------------

    def _foreign(self, got: Any) -> RuleViolation:
        waiting = user_site(self._handler, self._root)
        if isinstance(got, Run):
            return self._violate("HW206", "awaits the ctx of another call", waiting)
        name = f"{type(got).__module__}.{type(got).__qualname__}"
        what = f"awaits {name.removeprefix('_')}, which belongs to another event loop"
        return self._violate("HW204", what, waiting)

    def _stuck(self) -> RuleViolation:
        waiting = [task.get_coro() for task, _, _ in self._loop.tasks if not task.done()]
        sites = (user_site(one, self._root) for one in [*waiting, self._handler])
        where = next((site for site in sites if site), "")
        what = "waits for something that no ctx call will ever bring about"
        return self._violate("HW204", what, where)


@coroutine
def _hand_over(run: Run) -> Generator[Run, Any, Any]:
    return (yield run)


async def _started(start: Callable[[], None], inner: Coroutine[Any, Any, T]) -> T:
    start()
    return await inner


async def _closing(generator: AsyncGeneratorType[Any, Any]) -> None:
    await generator.aclose()


def _called(frame: FrameType | None, ranks: Ranks) -> str:
    """`calls asyncio.sleep() and `: the library function nearest to the user's line."""
    name = ""
    while frame is not None and ranks[frame.f_code.co_filename] <= LIBRARY:
        module = str(frame.f_globals.get("__name__", ""))
        if ranks[frame.f_code.co_filename] == LIBRARY:
            package = "asyncio" if module.startswith("asyncio.") else module
            name = f"calls {package}.{frame.f_code.co_qualname}(), which "
        frame = frame.f_back
    return name


def _because(error: BaseException, cause: BaseException | None) -> BaseException:
    if cause is not error and error.__cause__ is None:
        error.__cause__ = cause
    return error


def _another_loop(error: RuntimeError) -> bool:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = traceback.tb_frame.f_globals.get("__name__") if traceback is not None else ""
    return module in ("asyncio.runners", "asyncio.base_events")


def _running_loop() -> Any:
    return asyncio._get_running_loop()


def _run_loop(loop: Any) -> None:
    asyncio._set_running_loop(loop)
