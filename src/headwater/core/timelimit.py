"""The time limit of handlers: what stops code that runs too long, and never stops the engine.

The driver raises the flag `in_user` for exactly as long as a handler's own code runs. On the main
thread a timer signal interrupts it; elsewhere (other threads, systems without timer signals) a
patrol thread sets an asynchronous exception, which cannot end a call into C. Both repeat, for a
handler may catch what they raise; the signal also installs a trace function that raises again at
each further line of the handler, so that nested `except:` and `finally:` run out of ways to go on.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from math import inf
from types import FrameType
from typing import Any, ParamSpec, Protocol, TextIO, TypeVar

from headwater.clock import Clock
from headwater.core.callsite import DRIVING, PACKAGE, stack_lines

P = ParamSpec("P")
R = TypeVar("R")

monotonic = Clock().monotonic  # the machine's, also in tests with a virtual clock: loops are real
REPEAT_S = 0.01  # between shots: far below any limit, far above what a shot costs
BACK_UP_S = 0.05  # after a deadline that the signal alone did not enforce, the patrol joins in
PATIENCE_SHOTS = 20  # after so many even code that holds the runtime's or logging's locks is cut
_DEBUGGERS = ("bdb", "pdb", "pydevd", "_pydevd_bundle", "debugpy")
_HANDS_OFF = (PACKAGE, "<frozen importlib", os.path.join("logging", "__init__.py"))

_set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
_set_exception.argtypes = (ctypes.c_ulong, ctypes.py_object)
# The same as a trace function: three arguments more, which C ignores. It must not be Python code:
# that would be interrupted by the very exception, and Python drops a trace function that raises.
_python = ctypes.PyDLL(None, handle=ctypes.pythonapi._handle)
_set_exception_at_line = _python["PyThreadState_SetAsyncExc"]
_set_exception_at_line.argtypes = (ctypes.c_ulong, *(ctypes.py_object,) * 4)
_set_exception_at_line.restype = None
_getsignal: Callable[[int], Any] = vars(signal)["_signal"].getsignal  # 25 times the wrapper's speed


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
        self._at_each_line = partial(_set_exception_at_line, self.thread, Stopped)

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
            _set_exception(self.thread, Stopped)

    def calm(self) -> None:
        """Forgets shots, and takes back the trace function."""
        if sys.gettrace() == self._trace:
            sys.settrace(self._traced)
        self._traced = None
        self.fired = 0
        self.lines = []

    def note(self, frame: FrameType | None) -> None:
        """Counts one shot; `frame` is where it met the handler, None while the engine answers."""
        self.fired += 1
        if frame is not None and not self.lines:
            self.lines = list(stack_lines(frame))

    def spares(self, frame: FrameType) -> bool:
        """Whether to raise nothing right here, though the time is up."""
        if _debugger_on(frame):
            self.debugged = True
            self._timer.disarm()
        return self.debugged or (_hands_off(frame) and self.fired < PATIENCE_SHOTS)

    def storm(self, frame: FrameType | None) -> None:
        """Makes every further line of the handler raise: one exception alone may be caught."""
        if frame is not None and sys.gettrace() != self._trace:
            self._traced = sys.gettrace()
            sys.settrace(self._trace)
        while frame is not None and not frame.f_code.co_filename.startswith(DRIVING):
            if not _hands_off(frame):
                frame.f_trace = self._at_each_line
            frame = frame.f_back

    def _trace(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return None if _hands_off(frame) or not self.in_user else self._at_each_line


def _hands_off(frame: FrameType) -> bool:
    """Code that holds locks or half-made state which other calls share."""
    file = frame.f_code.co_filename
    return file.startswith(_HANDS_OFF[:2]) or file.endswith(_HANDS_OFF[2])


def _debugger_on(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _DEBUGGERS:
            return True
        frame = frame.f_back
    return False


class AlarmTimer:
    """The main thread's timer signal, which also interrupts sleeps, locks and regular expressions.

    While somebody else handles SIGALRM (a test runner's own timeouts), the patrol stands in. It
    also helps where the signal cannot: in recursion at its limit no handler has room to run.
    """

    def __init__(self) -> None:
        self._watch: Watch | None = None
        self._previous: Any = signal.SIG_DFL
        self._handler = self._on_alarm
        self._stand_in = False

    def arm(self, watch: Watch, seconds: float) -> None:
        """Sets the timer; installs the handler at the first use."""
        if _getsignal(signal.SIGALRM) is not self._handler and not self._install():
            self._stand_in, watch.grace_s = True, 0.0
        else:
            self._watch, self._stand_in, watch.grace_s = watch, False, BACK_UP_S
            signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT_S)
        patrol.arm(watch, seconds)

    def disarm(self) -> None:
        """Stops the timer; the handler stays for the next call."""
        if not self._stand_in:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def close(self) -> None:
        """Puts back the SIGALRM handler that was there before the first call."""
        if _getsignal(signal.SIGALRM) is self._handler:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._previous)

    def _install(self) -> bool:
        current = _getsignal(signal.SIGALRM)
        if current not in (signal.SIG_DFL, signal.SIG_IGN, None):
            return False
        self._previous = signal.SIG_DFL if current is None else current
        signal.signal(signal.SIGALRM, self._handler)
        return True

    def _on_alarm(self, _number: int, frame: FrameType | None) -> None:
        watch = self._watch
        if watch is None or monotonic() < watch.deadline:
            return
        met = frame if watch.in_user else None
        spared = met is None or watch.spares(met)
        if watch.debugged:
            return
        watch.note(met)
        watch.storm(met)
        if not spared:
            raise Stopped


class Patrol:
    """One thread that looks after the calls of all other threads.

    It needs the GIL to act, so a long call into C is stopped only when it returns. Between reading
    `in_user` and setting the exception no other thread can run (no bytecode there lets go of the
    GIL), so that the engine is never hit; tests hold this with very short limits.
    """

    def __init__(self) -> None:
        self._watches: list[Watch] = []
        self._wake = threading.Condition()
        self._planned = inf
        self._thread: threading.Thread | None = None

    def arm(self, watch: Watch, seconds: float) -> None:
        """Looks at the watch again when its deadline comes."""
        if not watch.enlisted:
            self._enlist(watch)
        due = watch.deadline + watch.grace_s
        if due < self._planned:  # seldom: once planned, a round comes though its call ends earlier
            with self._wake:
                self._planned = min(due, self._planned)
                self._wake.notify()

    def disarm(self) -> None:
        """Nothing to do: a watch without a call has no deadline."""

    def after_fork(self) -> None:
        """In a forked child: its threads are gone, so begin anew."""
        for watch in self._watches:
            watch.enlisted = False
        self.__init__()  # type: ignore[misc]

    def _enlist(self, watch: Watch) -> None:
        with self._wake:
            watch.enlisted = True
            self._watches.append(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._patrol, daemon=True)
                self._thread.name = "headwater-timelimit"
                with contextlib.suppress(RuntimeError):  # a jail that allows no thread
                    self._thread.start()

    def _patrol(self) -> None:
        with self._wake:
            while True:
                now = monotonic()
                if now >= self._planned:
                    self._planned = inf  # from here on a call that starts comes for the lock
                    self._planned = self._round(now)
                self._wake.wait(None if self._planned == inf else max(self._planned - now, 0))

    def _round(self, now: float) -> float:
        """Fires at calls past their deadline; returns when the next round is due."""
        nearest, stacks = inf, sys._current_frames()
        self._watches = [watch for watch in self._watches if watch.thread in stacks]
        for watch in self._watches:
            deadline = watch.deadline
            if deadline + watch.grace_s <= now:
                _fire(watch, stacks[watch.thread], deadline)
            nearest = min(nearest, max(deadline + watch.grace_s, now + REPEAT_S))
        return nearest


def _fire(watch: Watch, frame: FrameType, deadline: float) -> None:
    spared = watch.spares(frame)
    lines = list(stack_lines(frame))
    if watch.debugged:
        return
    set_exception, thread = _set_exception, watch.thread
    # From here on nothing lets go of the GIL; a call that ended meanwhile had another deadline.
    if watch.deadline == deadline:
        watch.fired += 1
        if watch.in_user:
            watch.lines = watch.lines or lines
            if not spared:
                set_exception(thread, Stopped)


patrol = Patrol()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=patrol.after_fork)
_HAS_ALARM = hasattr(signal, "setitimer")


class _Here(threading.local):
    """Each thread's own watch, made at its first call."""

    def __init__(self) -> None:
        main = threading.current_thread() is threading.main_thread()
        self.watch = Watch(alarm if _HAS_ALARM and main else patrol)


class HardLimit:
    """Ends the process when nothing else can: a long call into C, or a handler that will not end.

    Printed by faulthandler, which needs no GIL: the stack with the handler's line. For servers
    under a supervisor only; what was acknowledged is committed, so a restart loses nothing.

    Args:
        seconds: from `arm` to the end of the process.
        file: where the stack goes; standard error by default.
    """

    def __init__(self, seconds: float, file: TextIO | None = None) -> None:
        self._seconds, self._file = seconds, file or sys.stderr
        self._armed_at = -inf

    def arm(self) -> None:
        """Begins to count; once per batch. Skipped while hardly any of the time has run."""
        now = monotonic()
        if now - self._armed_at > self._seconds / 20:
            faulthandler.dump_traceback_later(self._seconds, exit=True, file=self._file)
            self._armed_at = now

    def disarm(self) -> None:
        """Before the engine waits for work, which may take for ever."""
        if self._armed_at != -inf:
            faulthandler.cancel_dump_traceback_later()
            self._armed_at = -inf


alarm = AlarmTimer()
_here = _Here()


def watch_here() -> Watch:
    """The watch of the running thread."""
    return _here.watch
