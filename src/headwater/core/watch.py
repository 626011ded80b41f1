"""What stops a handler past its limit, once a timer says so, and never stops the engine.

The driver raises the flag `in_user` for exactly as long as a handler's own code runs; nothing is
raised elsewhere. One exception may be caught, so a storm follows: a trace function makes each
further line of the handler raise again, until nested `except:` and `finally:` cannot go on.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from math import inf
from types import FrameType
from typing import Any, ParamSpec, Protocol, TypeVar

from headwater.clock import Clock
from headwater.core.callsite import DRIVING, PACKAGE, USER, ranks_of, stack_lines, waiting_lines

P = ParamSpec("P")
R = TypeVar("R")

monotonic = Clock().monotonic  # the machine's, also in tests with a virtual clock: loops are real
PATIENCE_SHOTS = 20  # after so many even code that holds the runtime's or logging's locks is cut
_DEBUGGERS = ("bdb", "pdb", "pydevd", "_pydevd_bundle", "debugpy")
_HANDS_OFF = (PACKAGE, "<frozen importlib")
_HANDS_OFF_FILES = (os.path.join("logging", "__init__.py"), "weakrefset.py", "weakref.py")

_ranks = ranks_of(None)
set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
set_exception.argtypes = (ctypes.c_ulong, ctypes.py_object)
# The same as a trace function: three arguments more, which C ignores. It must not be Python code:
# that would be interrupted by the very exception, and Python drops a trace function that raises.
_python = ctypes.PyDLL(None, handle=ctypes.pythonapi._handle)
_set_exception_at_line = _python["PyThreadState_SetAsyncExc"]
_set_exception_at_line.argtypes = (ctypes.c_ulong, *(ctypes.py_object,) * 4)
_set_exception_at_line.restype = None


class Stopped(BaseException):
    """Raised inside a handler past its limit; the driver turns it into TimeLimitExceeded."""


class Timer(Protocol):
    """What fires a watch at its deadline, and then every REPEAT_S."""

    def arm(self, watch: Watch, seconds: float) -> None:
        """Fire after so many seconds; replaces what was armed."""

    def disarm(self) -> None:
        """Fire no more."""


class Watch:
    """The limit of whatever handlers one thread runs; the driver owns it while a call lasts.

    Attributes:
        in_user: True exactly while a handler's own code runs. Set by the driver, read by timers.
        fired: shots since the innermost call ran past its limit, also while the engine answers it.
        lines: where the first shot met the handler, innermost first.
        deadline: the nearest one of all nested calls, by the monotonic clock.
        debugged: a debugger was met on the stack: its user may take all the time there is.
        grace_s: how long after the deadline the patrol leaves the call to the signal.
        enlisted: the patrol knows this watch.
        run: the innermost call.
        spare_loop: the mini loop of a call that never needed it.
    """

    def __init__(self, timer: Timer) -> None:
        self.in_user = False
        self.fired = 0
        self.lines: list[tuple[str, int]] = []
        self.deadline = inf
        self.debugged = False
        self.grace_s = 0.0
        self.enlisted = False
        self.run: Any = None
        self.spare_loop: Any = None
        self.thread = threading.get_ident()
        self._timer = timer
        self._traced: Any = None
        self._storms = False
        self._hook: Any = None
        self._ignored: list[Any] = []
        # Two ways to go on raising, used in turn, for each alone can be survived: an exception set
        # at each line may land inside a loop's `try` for ever, one raised is raised only once.
        self._ways: tuple[Any, Any] = (
            partial(_set_exception_at_line, self.thread, Stopped),
            self._raise_at_line,
        )
        self._way: Any = None

    def start(self, limit_s: float | None) -> float:
        """Begins a call; an outer call's nearer deadline stays. Returns this call's deadline."""
        if limit_s is None:
            return inf
        deadline = monotonic() + limit_s
        if deadline < self.deadline:
            self.deadline = deadline
            self._timer.arm(self, limit_s)
        return deadline

    def finish(self, outer_deadline: float) -> None:
        """Ends a call: what is left of the outer call's time is armed again."""
        if self.deadline != outer_deadline:
            self.deadline = outer_deadline  # before all else: from here on no shot is meant for it
            if outer_deadline == inf:
                self._timer.disarm()
                self.debugged = False
            else:
                self._timer.arm(self, max(outer_deadline - monotonic(), 1e-4))
        if self.fired:
            self.calm()

    def guard(self, call: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Runs one step of user code under the limit."""
        self.in_user = True
        try:
            result = call(*arguments, **named)
            self.in_user = False
            return result
        except BaseException:
            self.in_user = False
            if self.fired:
                self.drain()
            raise

    def drain(self) -> None:
        """Takes an exception that was set and not yet raised, lest it be raised in the engine.

        One more is set and caught: setting NULL, as documented, leaves CPython 3.11 and 3.12 asking
        for it at every call, and looping for ever under a trace function.
        """
        with contextlib.suppress(Stopped):
            set_exception(self.thread, Stopped)

    def calm(self) -> None:
        """Forgets shots, and ends the storm."""
        if self._storms:
            self._storms = False
            sys.unraisablehook = self._hook
            sys.settrace(self._traced)
            for ignored in self._ignored:
                if not issubclass(ignored.exc_type, Stopped):
                    self._hook(ignored)
            self._ignored.clear()
        self.fired = 0
        self.lines = []

    def note(self, frame: FrameType | None) -> None:
        """Counts one shot; `frame` is where it met the handler, None while the engine answers."""
        self.fired += 1
        self.lines = self.lines or self.met(frame)

    def met(self, frame: FrameType | None) -> list[tuple[str, int]]:
        """The lines of a stack inside the handler, or of what the handler awaits."""
        lines = list(stack_lines(frame)) if frame is not None else []
        return lines or waiting_lines(getattr(self.run, "_handler", None))

    def spares(self, frame: FrameType) -> bool:
        """Whether to raise nothing right here, though the time is up."""
        if _debugger_on(frame):
            self.debugged = True
            self._timer.disarm()
        return self.debugged or (_hands_off(frame) and self.fired < PATIENCE_SHOTS)

    def storm(self, frame: FrameType | None) -> None:
        """Makes every further line of the handler raise: one exception alone may be caught.

        Those that fall into `__del__` or a weak reference's callback are swallowed by Python with
        a note on standard error; such notes are held back, and the others given later.
        """
        stack = []
        while frame is not None and not frame.f_code.co_filename.startswith(DRIVING):
            stack.append(frame)
            frame = frame.f_back
        if stack and not self._storms:
            self._storms, self._traced = True, sys.gettrace()
            self._hook, sys.unraisablehook = sys.unraisablehook, self._ignored.append
        if stack:
            self._way = self._ways[self.fired // 2 % 2]
            sys.settrace(self._trace)
        for met in reversed(stack):
            if _ranks[met.f_code.co_filename] < USER:
                break  # what it calls may hold its locks
            met.f_trace = self._way

    def _trace(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        if not self.in_user or _ranks[frame.f_code.co_filename] < USER:
            return None
        caller = frame.f_back
        if caller is None or caller.f_code.co_filename.startswith(DRIVING):
            return self._way
        return self._way if caller.f_trace is self._way else None

    def _raise_at_line(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line" and self.in_user:
            raise Stopped
        return self._ways[1]


def _hands_off(frame: FrameType) -> bool:
    """Code that holds locks or half-made state which other calls share."""
    file = frame.f_code.co_filename
    return file.startswith(_HANDS_OFF) or file.endswith(_HANDS_OFF_FILES)


def _debugger_on(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _DEBUGGERS:
            return True
        frame = frame.f_back
    return False
