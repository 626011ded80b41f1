"""The timers of the time limit: they tell a watch that a call's time is up.

On the main thread a timer signal interrupts the handler; elsewhere (other threads, systems without
timer signals) a patrol thread sets an asynchronous exception, which cannot end a call into C. Both
repeat until the call has ended. What nothing in the process can stop, the hard limit ends with it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from math import inf
from types import FrameType
from typing import Any, TextIO

from headwater.core.watch import Stopped, Watch, monotonic, set_exception

REPEAT_S = 0.01  # between shots: far below any limit, far above what a shot costs
BACK_UP_S = 0.05  # after a deadline that the signal alone did not enforce, the patrol joins in
_getsignal: Callable[[int], Any] = vars(signal)["_signal"].getsignal  # 25 times the wrapper's speed


class StoppedForGood(Stopped):
    """Set by the patrol every second time, and made in the handler's thread by who catches it.

    So the storm begins there too. Not every time: in recursion at its limit it cannot be made.
    """

    def __init__(self) -> None:
        super().__init__()
        watch = watch_here()
        if watch.in_user:
            watch.storm(sys._getframe(1))


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
    lines = watch.met(frame if watch.in_user else None)
    if watch.debugged:
        return
    thread = watch.thread
    exception = StoppedForGood if watch.fired % 2 else Stopped
    # From here on nothing lets go of the GIL; a call that ended meanwhile had another deadline.
    if watch.deadline == deadline:
        watch.fired += 1
        watch.lines = watch.lines or lines
        if watch.in_user and not spared:
            set_exception(thread, exception)


patrol = Patrol()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=patrol.after_fork)
_HAS_ALARM = hasattr(signal, "setitimer")


known = threading.local()
"""Has the running thread's `watch` once there is one; to ask makes none."""


class _Here(threading.local):
    """Each thread's own watch, made at its first call."""

    def __init__(self) -> None:
        main = threading.current_thread() is threading.main_thread()
        self.watch = known.watch = Watch(alarm if _HAS_ALARM and main else patrol)


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
