"""The event loop a handler sees: it runs tasks over ctx requests, and refuses everything else.

It exists so that `asyncio.gather` and `TaskGroup` work over ctx calls, in an order that is the same
in every run. Requests of tasks are collected, and answered as one batch when no task can go on.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from types import FrameType
from typing import Any

PASSES = 100  # over tasks that merely yield, before waiting requests are answered all the same

_TIMERS = {
    "call_later": "waits for time to pass",
    "call_at": "waits for time to pass",
    "time": "reads the clock for a timer",
    "run_in_executor": "starts a thread",
    "call_soon_threadsafe": "is called from another thread",
    "set_default_executor": "starts threads",
    "add_signal_handler": "waits for a signal",
    "run_forever": "runs an event loop",
    "run_until_complete": "runs an event loop",
    "stop": "stops the event loop",
    "close": "closes the event loop",
}
_UNORDERED = ("as_completed", "_AsCompletedIterator", "_wait.")

Refuse = Callable[[str, str, FrameType | None], Exception]
"""Code, what was done, the stack it was done on; returns the violation to raise."""


class Callback:
    """Something to be run at the next pass; asyncio calls this a handle."""

    __slots__ = ("_arguments", "_call", "_context", "_dropped")

    def __init__(
        self, call: Callable[..., Any], arguments: tuple[Any, ...], context: Context | None
    ) -> None:
        self._call, self._arguments = call, arguments
        self._context = copy_context() if context is None else context
        self._dropped = False

    def cancel(self) -> None:
        """Makes the callback do nothing."""
        self._dropped = True

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._dropped

    def run(self) -> None:
        """Calls it in the context it was made in."""
        if not self._dropped:
            self._context.run(self._call, *self._arguments)


class HandlerTask(asyncio.Task[Any]):
    """A task of a handler. Whoever wants tasks in the order they end, asks in vain."""

    def add_done_callback(self, fn: Any, /, *, context: Context | None = None) -> None:
        """As asyncio's, save that `as_completed` and `wait` are refused."""
        module, name = getattr(fn, "__module__", ""), getattr(fn, "__qualname__", "")
        if module == "asyncio.tasks" and name.startswith(_UNORDERED):
            loop: Any = self.get_loop()
            raise loop.refuse_order(sys._getframe(1))
        super().add_done_callback(fn, context=context)


class HandlerAsTask:
    """Stands for the handler itself where asyncio asks for the current task."""

    cancelled_now = False
    waits_for: asyncio.Future[Any] | None = None
    _cancels = 0

    def __init__(self, loop: MiniLoop) -> None:
        self._loop = loop

    def cancel(self, msg: Any = None) -> bool:
        """A task group does this to its body when a child fails."""
        self._cancels += 1
        if not self._loop.active:
            self._loop.activate()
        if self.waits_for is None or not self.waits_for.cancel(msg):
            self.cancelled_now = True
        return True

    def cancelling(self) -> int:
        """Cancellations asked for and not taken back."""
        return self._cancels

    def uncancel(self) -> int:
        """Takes one back."""
        self._cancels = max(0, self._cancels - 1)
        return self._cancels

    def done(self) -> bool:
        """Never, while anybody can ask."""
        return False

    def cancelled(self) -> bool:
        """Never, while anybody can ask."""
        return False

    def get_loop(self) -> MiniLoop:
        """The loop of this call."""
        return self._loop

    def get_name(self) -> str:
        """A name for logs."""
        return "handler"


def _maker(frame: FrameType) -> FrameType:
    """The frame outside asyncio that asked for a task."""
    while frame.f_globals.get("__package__") == "asyncio" and frame.f_back is not None:
        frame = frame.f_back
    return frame


class MiniLoop:
    """One call's event loop.

    Attributes:
        refuse: notes a broken rule of the call and returns the violation.
        task: stands for the handler.
        active: False until a task or callback exists; the driver's fast path asks only this.
        posted: requests of tasks, each with the future its task waits for.
        tasks: every task made in this call, with the code and instruction that made it.
    """

    refuse: Refuse
    active = False
    ready: deque[Callback] = deque()
    posted: list[tuple[Any, asyncio.Future[Any]]] = []
    tasks: list[tuple[HandlerTask, Any, int]] = []

    def __init__(self) -> None:
        self.task = HandlerAsTask(self)

    def activate(self) -> None:
        """The call needs its loop: from now on it has state, and serves no other call."""
        self.active, self.ready, self.posted, self.tasks = True, deque(), [], []

    def call_soon(
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Callback:
        """Runs it at the next pass."""
        if not self.active:
            self.activate()
        entry = Callback(callback, args, context)
        self.ready.append(entry)
        return entry

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this call; `asyncio.wait` is refused here too, for it may wait on futures."""
        caller = sys._getframe(1)
        if caller.f_code.co_name == "_wait" and caller.f_globals.get("__name__") == "asyncio.tasks":
            raise self.refuse_order(caller)
        return asyncio.Future(loop=self)  # type: ignore[arg-type]

    def create_task(self, coro: Coroutine[Any, Any, Any], **options: Any) -> HandlerTask:
        """A task of this call; it must have ended when the handler does."""
        if not self.active:
            self.activate()
        task = HandlerTask(coro, loop=self, **options)  # type: ignore[arg-type]
        maker = _maker(sys._getframe(1))
        self.tasks.append((task, maker.f_code, maker.f_lasti))
        return task

    def post(self, request: Any) -> asyncio.Future[Any]:
        """Puts a request into the next batch."""
        if not self.active:
            self.activate()
        future: asyncio.Future[Any] = asyncio.Future(loop=self)  # type: ignore[arg-type]
        self.posted.append((request, future))
        return future

    def one_pass(self) -> None:
        """Runs what is ready now, and not what becomes ready meanwhile."""
        for _ in range(len(self.ready)):
            self.ready.popleft().run()

    def refuse_order(self, frame: FrameType) -> Exception:
        """The violation for everything that gives results in the order they come."""
        what = "takes results in the order they come, which differs from run to run"
        return self.refuse("HW204", what, frame)

    def get_debug(self) -> bool:
        """Asked by asyncio's futures."""
        return False

    def is_running(self) -> bool:
        """Always, while anybody can ask."""
        return True

    def is_closed(self) -> bool:
        """Never, while anybody can ask."""
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Nothing: what goes wrong in a call is the call's outcome, which the driver reports."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(asyncio.AbstractEventLoop, name):
            raise AttributeError(name)
        code, what = "HW203", "talks to the outside world"
        if name in _TIMERS:
            code, what = "HW204", _TIMERS[name]

        def refused(*_arguments: Any, **_named: Any) -> Any:
            raise self.refuse(code, what, sys._getframe(1))

        return refused
