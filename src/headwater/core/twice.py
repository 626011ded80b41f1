"""Runs some calls a second time and compares (HW201, HW202, HW206).

Nothing tells of a clock or of chance, so the proof is the deed: a query or mutation that is run
again on what the first run was answered must ask the same and come to the same. The second run is
answered from a tape, so it neither reads nor writes anything, and its log lines go nowhere.
Meanwhile a profiler notes who asks a clock or draws chance: a difference has a line and a name.
"""

from __future__ import annotations

import copy
import datetime
import logging
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

from headwater.core import requests, values
from headwater.core.allowed import is_allowed
from headwater.core.calls import AnswerOne, Frame
from headwater.core.callsite import DRIVING, RUNTIME, USER, Spot, ranks_of, user_trace
from headwater.core.logs import CallLog
from headwater.core.scans import Batch
from headwater.core.violations import found, via
from headwater.core.watch import monotonic
from headwater.errors import RuleViolation, TimeLimitExceeded
from headwater.settings import Limits

RunFrame = Callable[[Frame, AnswerOne], Any]

_PATIENCE_S: Final = 0.1  # a first run that took longer is not run again
_MORE: Final = 5  # runs after a draw of chance that happened to come out the same
_CLOCKS: Final = frozenset(
    {"time", "time_ns", "localtime", "gmtime", "ctime", "monotonic", "monotonic_ns"}
    | {"perf_counter", "perf_counter_ns", "process_time", "process_time_ns"}
)
_DATES: Final = frozenset({"now", "utcnow", "today"})
_SYSTEM_CHANCE: Final = frozenset({"urandom", "getrandom", "generate_time_safe"})
_DIFFERED: Final = "run twice on the same data, it did not do the same"


class _Diverged(Exception):
    """The second run asked for something else."""


@dataclass
class _Asked:
    """A request and how it was answered, as it was then: the handler may change both later."""

    mark: str
    value: Any = None
    error: Exception | None = None


class _ReplayedScan:
    """Stands for an open scan, whose place in the index only the first run may move."""

    used = 0


class _Tape:
    """What the first run asked, in order, and what it was answered."""

    def __init__(self, answer: AnswerOne) -> None:
        self._answer = answer
        self._asked: list[_Asked] = []

    def record(self, request: Any) -> Any:
        """Answers a request, and notes both."""
        entry = _Asked(_mark(request))
        self._asked.append(entry)
        try:
            value = self._answer(request)
        except Exception as error:
            entry.error = error
            raise
        plain = isinstance(value, dict | list)
        entry.value = copy.deepcopy(value) if plain else value
        return value

    def replay(self) -> _Replay:
        """Answers another run from the tape."""
        return _Replay(self._asked)


class _Replay:
    """Answers as the tape says, as long as the same is asked.

    Attributes:
        diverged: something else was asked.
    """

    def __init__(self, asked: list[_Asked]) -> None:
        self._asked, self._next = asked, 0
        self.diverged = False

    @property
    def ended(self) -> bool:
        """Everything on the tape was asked for."""
        return self._next == len(self._asked)

    def __call__(self, request: Any) -> Any:
        entry = None if self.ended else self._asked[self._next]
        self._next += 1
        if self.diverged or entry is None or entry.mark != _mark(request):
            self.diverged = True
            raise _Diverged
        if entry.error is not None:
            raise entry.error
        if isinstance(entry.value, Batch):
            scan: Any = _ReplayedScan()
            return Batch(scan, entry.value.documents, entry.value.done)
        return copy.deepcopy(entry.value) if isinstance(entry.value, dict | list) else entry.value


def _mark(request: Any) -> str:
    """All of a request but the scan it goes on with, which is another object each time."""
    if isinstance(request, requests.ScanMore | requests.PageEnd):
        given = [getattr(request, each.name) for each in fields(request) if each.name != "scan"]
        return f"{type(request).__name__} {given!r}"
    return repr(request)


class Twice:
    """Decides which calls are run twice, and judges them.

    The first run of each function, the second, the fourth and so on: later ones meet more data.
    """

    def __init__(self, root: Path, limits: Limits) -> None:
        self._root, self._limits = root, limits
        self._runs: Counter[str] = Counter()

    def due(self, path: str) -> bool:
        """Whether this run of a function is one of those."""
        self._runs[path] = number = self._runs[path] + 1
        return number & (number - 1) == 0

    def run(self, run: RunFrame, frame: Frame, answer: AnswerOne) -> Any:
        """The result of a call, which was run again to see that it always does the same.

        Raises:
            RuleViolation: it does not.
            Exception: what the first run raised; then there is no second.
        """
        tape, began = _Tape(answer), monotonic()
        value = run(frame, tape.record)
        if monotonic() - began < _PATIENCE_S:
            violation = self._judged(run, frame, tape, value)
            if violation is not None:
                raise violation
        return value

    def _judged(self, run: RunFrame, frame: Frame, tape: _Tape, value: Any) -> RuleViolation | None:
        first = _encoded(value)
        if first is None:
            return None
        seen = _Seen(self._root)
        differs, spots = self._again(run, frame, tape, first, seen)
        for _ in range(_MORE if seen.calls else 0):
            if differs:
                break
            differs, spots = self._again(run, frame, tape, first)
        violation = self._violation(frame, seen, spots) if differs else None
        if violation is None or is_allowed(self._root, violation.where, violation.code):
            return None
        return violation

    def _again(
        self,
        run: RunFrame,
        frame: Frame,
        tape: _Tape,
        first: bytes,
        seen: _Seen | None = None,
    ) -> tuple[bool, list[Spot]]:
        """Whether another run differs, and the user's line where it does, if that is known."""
        replay, spots = tape.replay(), list[Spot]()
        try:
            with _quietly(), seen.noting() if seen else _nothing():
                second = run(replace(frame, log=CallLog(self._limits)), replay)
            return replay.diverged or not replay.ended or _encoded(second) != first, spots
        except (KeyboardInterrupt, RuleViolation):
            raise
        except TimeLimitExceeded:
            return False, spots
        except BaseException as error:
            return True, user_trace(error, self._root)

    def _violation(self, frame: Frame, seen: _Seen, spots: list[Spot]) -> RuleViolation:
        code, what = "HW206", _DIFFERED
        if seen.calls:
            code, name, spots = seen.calls[0]
            what = f"calls {name}; {_DIFFERED}"
        _, path, line, _ = spots[0] if spots else ("", "", 0, 0)
        place = f"{path}:{line}" if path else frame.spec.source
        about = {"function": frame.spec.path, "kind": frame.spec.kind, "via": via(spots)}
        return RuleViolation(found(code, what, "T", place, **about))


class _Seen:
    """Who asked a clock or drew chance during a run, told by a profiler.

    Attributes:
        calls: the rule, the name of what was called, and the user's chain of calls.
    """

    def __init__(self, root: Path) -> None:
        self._ranks = ranks_of(root)
        self.calls: list[tuple[str, str, list[Spot]]] = []

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Looks on; not where somebody else profiles."""
        if sys.getprofile() is not None:
            yield
            return
        sys.setprofile(self._note)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call":
            return
        code = _rule_of(called)
        if code and not self.calls:
            library, spots = self._chain(frame)
            if spots:
                self.calls.append((code, library or _name(called), spots))

    def _chain(self, frame: FrameType | None) -> tuple[str, list[Spot]]:
        """The library function nearest to the user's line, and the user's lines, innermost first;
        none where the runtime itself calls.
        """
        library, spots, ranks = "", list[Spot](), self._ranks
        while frame is not None and not frame.f_code.co_filename.startswith(DRIVING):
            code, rank = frame.f_code, ranks[frame.f_code.co_filename]
            if rank == RUNTIME and not spots:
                return "", []
            if rank >= USER:
                line = frame.f_lineno or 0
                spots.append((code.co_qualname, ranks.shown(code.co_filename), line, 0))
            elif rank != RUNTIME and not spots:
                library = f"{frame.f_globals.get('__name__')}.{code.co_name}()"
            frame = frame.f_back
        return library, spots


def _rule_of(called: Any) -> str:
    """The rule against a built-in function, an empty text for any other."""
    name, owner = getattr(called, "__name__", ""), getattr(called, "__self__", None)
    if name in _CLOCKS and getattr(owner, "__name__", "") == "time":
        return "HW201"
    if name in _DATES and isinstance(owner, type) and issubclass(owner, datetime.date):
        return "HW201"
    shared: Any = getattr(random, "_inst", None)
    if owner is not None and (owner is shared or type(owner).__name__ == "SystemRandom"):
        return "HW202"
    return "HW202" if name in _SYSTEM_CHANCE else ""


def _name(called: Any) -> str:
    owner = getattr(called, "__self__", None)
    home = getattr(owner, "__name__", "") or ("random" if isinstance(owner, random.Random) else "")
    home = "os" if home in ("posix", "nt") else home
    return f"{home}.{called.__name__}()" if home else f"{called.__name__}()"


def _encoded(value: Any) -> bytes | None:
    """A result as it is sent; None for one that cannot be, which is told elsewhere."""
    try:
        return values.encode(value)
    except Exception:
        return None


@contextmanager
def _quietly() -> Iterator[None]:
    """Without log records: they would be told twice."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _nothing() -> Iterator[None]:
    yield
