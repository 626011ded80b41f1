"""A watch knows whose code runs, whose deadline is nearest, and what must not be cut."""

from __future__ import annotations

import logging
import sys
from math import inf
from types import FrameType

import pytest

from headwater.core.watch import PATIENCE_SHOTS, Stopped, Watch, set_exception


class Noted:
    """A timer that only notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def arm(self, _watch: Watch, seconds: float) -> None:
        """Notes the seconds, rounded."""
        self.asked.append(f"arm {seconds:.0f}")

    def disarm(self) -> None:
        """Notes it."""
        self.asked.append("disarm")


def test_the_nearest_deadline_is_armed() -> None:
    """A nested call with more time changes nothing; one with less, until it ends."""
    timer = Noted()
    watch = Watch(timer)
    watch.start(100)
    outer = watch.deadline
    watch.start(200)
    watch.finish(outer)
    watch.start(None)
    watch.finish(outer)
    assert timer.asked == ["arm 100"]
    watch.start(10)
    watch.finish(outer)
    watch.finish(inf)
    assert timer.asked == ["arm 100", "arm 10", "arm 100", "disarm"]


def test_the_flag_is_up_exactly_while_user_code_runs() -> None:
    """Also when that raises; arguments and results pass through."""
    watch = Watch(Noted())

    def fails() -> None:
        raise LookupError(watch.in_user)

    assert watch.guard(lambda one: (one, watch.in_user), 1) == (1, True)
    assert not watch.in_user
    with pytest.raises(LookupError, match="True"):
        watch.guard(fails)
    assert not watch.in_user


def test_nothing_set_is_left_after_draining() -> None:
    """Neither an exception nor, under a trace function, a loop that waits for one."""
    watch = Watch(Noted())
    previous = sys.gettrace()
    for _ in range(3):
        watch.drain()
    sys.settrace(lambda *_event: None)
    try:
        assert sum(number for number in range(100)) == 4950
    finally:
        sys.settrace(previous)
    with pytest.raises(Stopped):
        set_exception(watch.thread, Stopped)


def _frame() -> FrameType:
    return sys._getframe()


def test_only_code_that_others_wait_for_is_spared() -> None:
    """The runtime's and logging's functions are, for a while; the user's are not."""
    watch = Watch(Noted())
    frames: list[FrameType] = []

    class Keeps(logging.Handler):
        def createLock(self) -> None:
            frames.append(sys._getframe(1))  # logging's own __init__

    Keeps()
    assert not watch.spares(_frame())
    assert watch.spares(frames[0])
    watch.fired = PATIENCE_SHOTS
    assert not watch.spares(frames[0])


def test_shots_remember_the_first_place() -> None:
    """Where the time ran out is told, not where the last of many shots fell."""
    watch = Watch(Noted())
    watch.note(None)
    assert (watch.fired, watch.lines) == (1, [])
    watch.note(_frame())
    watch.note(sys._getframe())
    assert watch.fired == 3
    assert watch.lines[0][1] == _frame.__code__.co_firstlineno + 1


def test_a_storm_ends_hostile_code() -> None:
    """Catching what is raised does not help, for the next line raises again."""
    watch = Watch(Noted())
    steps: list[int] = []

    def hostile() -> None:
        watch.note(None)
        watch.storm(sys._getframe())
        for step in range(100):
            try:
                steps.append(step)
            except Stopped:
                steps.append(-1)

    previous = sys.gettrace()
    with pytest.raises(Stopped):
        watch.guard(hostile)
    watch.calm()
    assert len(steps) < 3
    assert sys.gettrace() is previous


def test_a_storm_keeps_notes_of_others_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """What fails in `__del__` meanwhile is told afterwards, our own exceptions never are."""
    watch = Watch(Noted())

    class Fails:
        def __init__(self, error: BaseException) -> None:
            self.error = error

        def __del__(self) -> None:
            raise self.error

    hook, sys.unraisablehook = sys.unraisablehook, sys.__unraisablehook__
    try:
        watch.storm(sys._getframe())
        sys.settrace(None)  # the notes alone are looked at
        Fails(LookupError("somebody else's"))
        Fails(Stopped())
        assert capsys.readouterr().err == ""
        watch.calm()
    finally:
        sys.unraisablehook = hook
    told = capsys.readouterr().err
    assert "somebody else's" in told
    assert "Stopped" not in told
