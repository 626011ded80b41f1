"""Handlers are driven, not awaited: this runs a handler to its end and answers what it asks of ctx.

A handler's coroutine is stepped by hand. What it awaits on ctx arrives here as a request and is
answered outside of user code; nothing else can be awaited. Only when it waits on a future, which
`gather` and task groups do, its tasks run on the mini loop.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, TypeVar

from headwater.core.asking import Asking
from headwater.core.callsite import code_site, site_of, user_site
from headwater.core.miniloop import PASSES, MiniLoop
from headwater.core.timelimit import watch_here
from headwater.core.watch import Stopped, Watch, monotonic
from headwater.errors import HeadwaterError, RuleViolation, TimeLimitExceeded

R = TypeVar("R")

_CLOSINGS = 10  # tries to end a handler that catches GeneratorExit
_unclosable: list[Any] = []  # kept for ever: collecting them would run their code in the engine

# asyncio's own functions, typed for a loop that is none of its classes.
_running_loop: Callable[[], Any] = asyncio._get_running_loop
_run_loop: Callable[[Any], None] = asyncio._set_running_loop
_enter: Callable[[Any, Any], None] = _enter_task
_leave: Callable[[Any, Any], None] = _leave_task


@dataclass(slots=True)
class Outcome:
    """The answer to one request: a value, or an error to raise where it was awaited."""

    value: Any = None
    error: BaseException | None = None


Answer = Callable[[list[Any]], list[Outcome]]
"""Answers a batch of requests: one outcome each, in order."""


class Run(Asking):
    """One live call: ties every ctx request to it, and drives its handler.

    Args:
        answer: answers a batch; by default each request alone by `answer_one`.
        answer_one: answers one request, by its value or by raising; the fast way.
        function: the function's path, for messages.
        kind: query, mutation or action, for messages.
        limit_s: seconds its handler may take, or None.
        root: the project's folder, the one that holds `backend/`.

    Attributes:
        guarded: files, sockets and processes are refused while it runs.
    """

    guarded = False
    _watch: Watch
    _context: Context
    _handler: Any
    _outer: Run | None = None  # the call whose request this call answers
    _deadline = inf

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
        super().__init__(function, kind, root)
        self._answer, self._answer_one = answer, answer_one
        self.limit_s = limit_s
        self._generators: list[Any] = []

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
        loop = self._loop = watch.spare_loop or MiniLoop()
        watch.spare_loop = None
        loop.refuse = self.refuse
        hooks, outer_loop, outer_deadline = (
            sys.get_asyncgen_hooks(),
            _running_loop(),
            watch.deadline,
        )
        self._outer, watch.run = watch.run, self
        sys.set_asyncgen_hooks(self._generators.append, None)
        _run_loop(loop)
        _enter(loop, loop.task)
        try:
            self._deadline = watch.start(self.limit_s)
            return self._to_the_end(coroutine)
        finally:
            self.live = False
            watch.finish(outer_deadline)
            watch.run = self._outer
            _leave(loop, loop.task)
            _run_loop(outer_loop)
            sys.set_asyncgen_hooks(*hooks)
            del self._loop, loop.refuse  # they refer to each other
            watch.spare_loop = None if loop.active else loop

    def _to_the_end(self, handler: Coroutine[Any, Any, R]) -> R:
        error: BaseException
        try:
            result = self._step_through(handler)
            if self._generators or self._unawaited or self._loop.active or self.violation:
                self._tie()
            if not self._late():
                return result
            error = Stopped()
        except BaseException as raised:
            error = raised
        try:
            raise self._verdict(handler, error)
        finally:
            del error  # its traceback holds this frame

    def _step_through(self, handler: Coroutine[Any, Any, R]) -> R:
        watch, loop, run_in = self._watch, self._loop, self._context.run
        answer = self._answer_one or self._answer_alone
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
                if self._late():
                    raise
                value, step = error, throw

    # -- waiting on futures ------------------------------------------------------------------------

    def _wait(self, got: Any) -> Any:
        """Answers the handler where more than one request may be under way."""
        loop = self._loop
        if loop.active and loop.task.cancelled_now:
            loop.task.cancelled_now = False
            raise asyncio.CancelledError
        if got is self:
            if not loop.ready and not loop.posted:
                return self._answer_alone(self._asked)
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
        if loop.task.cancelled_now:
            loop.task.cancelled_now = False
            raise asyncio.CancelledError
        return None

    def _run_tasks_until(self, future: asyncio.Future[Any]) -> None:
        loop, task = self._loop, self._loop.task
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
        _leave(self._loop, self._loop.task)
        self._in_task = True
        try:
            self._watch.guard(self._loop.one_pass)
        finally:
            self._in_task = False
            _enter(self._loop, self._loop.task)
        if self._watch.fired:
            raise Stopped

    def _answer_posted(self) -> None:
        posted = [entry for entry in self._loop.posted if not entry[1].done()]
        self._loop.posted.clear()
        outcomes = self._outcomes([request for request, _ in posted]) if posted else []
        for (_, future), outcome in zip(posted, outcomes, strict=True):
            if outcome.error is None:
                future.set_result(outcome.value)
            else:
                future.set_exception(outcome.error)

    def _outcomes(self, requests: list[Any]) -> list[Outcome]:
        if self._answer is not None:
            return self._answer(requests)
        return [self._outcome(request) for request in requests]

    def _outcome(self, request: Any) -> Outcome:
        try:
            return Outcome(self._answer_alone(request))
        except Exception as error:
            return Outcome(error=error)

    def _answer_alone(self, request: Any) -> Any:
        if self._answer_one is not None:
            return self._answer_one(request)
        (outcome,) = self._outcomes([request])
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    # -- the end -----------------------------------------------------------------------------------

    def _tie(self) -> None:
        """Closes generators left by `break`; raises for what the handler left open."""
        self._close_generators()
        if self.violation is not None:
            raise self.violation
        for task, code, instruction in self._loop.tasks:
            where = code_site(code, instruction, self._ranks)
            if not task.done():
                raise self.violate("HW204", "a task made here was left running", where)
            if getattr(task, "_log_traceback", False):
                what = "a task made here failed and nobody awaited it"
                raise self.violate("HW204", what, where) from task.exception()
        self.check_awaited()

    def _close_generators(self) -> None:
        while self._generators:
            generator = self._generators.pop()
            if generator.ag_frame is not None and not generator.ag_running:
                self._step_through(_closing(generator))

    def _late(self) -> bool:
        watch = self._watch
        return watch.fired > 0 or (monotonic() > self._deadline and not watch.debugged)

    def _verdict(self, handler: Any, error: BaseException) -> BaseException:
        """What the call ends with when it did not simply return; nothing of it stays behind."""
        if isinstance(error, Exception) and not self._late():
            try:
                self._close_generators()
            except BaseException as later:
                error = later
        verdict = self._worded(error)
        self._bury(handler)
        return verdict

    def _worded(self, error: BaseException) -> BaseException:
        if isinstance(error, KeyboardInterrupt):
            return error
        if self._late():
            return error if isinstance(error, TimeLimitExceeded) else self._time_limit(error)
        if self.violation is not None:
            return _because(self.violation, error)
        if isinstance(error, AttributeError | TypeError) and "coroutine" in str(error):
            try:
                self.check_awaited()
            except RuleViolation as violation:
                return _because(violation, error)
        if isinstance(error, RuntimeError) and _another_loop(error):
            what = "runs a second event loop inside a handler"
            return _because(self.violate("HW204", what, user_site(error, self._root)), error)
        if isinstance(error, Exception):
            return error
        name = type(error).__name__
        return _because(HeadwaterError(f"{self.kind} {self.function} raised {name}"), error)

    def _time_limit(self, error: BaseException) -> TimeLimitExceeded:
        run, now = self, monotonic()
        outer = self._outer
        while outer is not None:
            if now > outer._deadline:
                run = outer
            outer = outer._outer
        where = (
            site_of(self._watch.lines, self._ranks)
            or user_site(error, self._root)
            or user_site(self._handler, self._root)
        )
        return TimeLimitExceeded(f"{run.kind} {run.function}", run.limit_s or 0.0, where)

    def _bury(self, handler: Any) -> None:
        self.live = False
        self._kill(handler, handler.close, "cr_frame")
        for task, _, _ in self._loop.tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                left: Any = task.get_coro()
                self._kill(left, left.close, "cr_frame")
        for generator in self._generators:
            self._kill(generator, partial(_close_at_once, generator), "ag_frame")
        self.drop_unawaited()

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

    def _foreign(self, got: Any) -> RuleViolation:
        waiting = user_site(self._handler, self._root)
        if isinstance(got, Asking):
            return self.violate("HW206", "awaits the ctx of another call", waiting)
        name = f"{type(got).__module__}.{type(got).__qualname__}"
        what = f"awaits {name.removeprefix('_')}, which belongs to another event loop"
        return self.violate("HW204", what, waiting)

    def _stuck(self) -> RuleViolation:
        waiting = [task.get_coro() for task, _, _ in self._loop.tasks if not task.done()]
        sites = (user_site(one, self._root) for one in [*waiting, self._handler])
        where = next((site for site in sites if site), "")
        what = "waits for something that no ctx call will ever bring about"
        return self.violate("HW204", what, where)


async def _closing(generator: Any) -> None:
    await generator.aclose()


def _close_at_once(generator: Any) -> None:
    generator.aclose().send(None)


def _because(error: BaseException, cause: BaseException) -> BaseException:
    if cause is not error and error.__cause__ is None:
        error.__cause__ = cause
    return error


def _another_loop(error: RuntimeError) -> bool:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = traceback.tb_frame.f_globals.get("__name__") if traceback is not None else ""
    return module in ("asyncio.runners", "asyncio.base_events")
