"""What a handler asks of ctx, and what it must not do: each request is tied to its live call.

Every request notes where in the user's code it was made, cheaply (an instruction, not yet a line),
so that one that is never awaited can be named. A broken rule is noted for good: a handler that
catches the violation does not undo it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, coroutine
from typing import Any, TypeVar

from headwater.core.allowed import is_allowed
from headwater.core.callsite import LIBRARY, Ranks, code_site, ranks_of, user_site
from headwater.core.miniloop import MiniLoop
from headwater.core.violations import found
from headwater.errors import RuleViolation
from headwater.rules import Stage

T = TypeVar("T")

KINDS = ("query", "mutation", "action")  # other calls are steps of the runtime: a load of a backend

_FIXES = {
    "HW204": "await ctx calls only, several at once with asyncio.gather; what comes later is\n"
    "scheduled: await ctx.scheduler.run_after(60_000, send, ...); waiting belongs in an action",
}


class Asking:
    """The handler's side of a call.

    Attributes:
        live: False once the handler has ended; requests raise from then on.
        violation: the first rule broken; `drive` raises it though the handler caught it.
    """

    live = True
    violation: RuleViolation | None = None
    _loop: MiniLoop
    _asked: Any = None  # the request a hand-over brings to the driver
    _in_task = False
    _made = 0

    def __init__(self, function: str, kind: str, root: Path | None) -> None:
        self.function, self.kind = function, kind
        self._root, self._ranks = root, ranks_of(root)
        self._unawaited: dict[int, tuple[Any, CodeType, int]] = {}

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
        frame: Any = sys._getframe(1)
        if not self.live:
            inner.close()
            raise self._ended(frame)
        while not self._ranks[frame.f_code.co_filename]:
            frame = frame.f_back
        number = self._made = self._made + 1
        asked = _started(partial(self._unawaited.__delitem__, number), inner)
        self._unawaited[number] = (_Both(asked, inner), frame.f_code, frame.f_lasti)
        return asked

    async def _request(self, number: int, request: Any, then: Callable[[Any], Any] | None) -> Any:
        del self._unawaited[number]
        if self._in_task:
            reply = await self._loop.post(request)
        else:
            self._asked = request
            reply = await _hand_over(self)
        return reply if then is None else then(reply)

    def check_awaited(self) -> None:
        """Raises for requests that were made and neither awaited nor closed."""
        forgotten = [entry for entry in self._unawaited.values() if entry[0].cr_frame is not None]
        if forgotten:
            _, code, instruction = forgotten[0]
            more = f" (and {len(forgotten) - 1} more)" if len(forgotten) > 1 else ""
            what = f"a ctx call was made and never awaited{more}"
            raise self.violate("HW205", what, code_site(code, instruction, self._ranks))

    def drop_unawaited(self) -> None:
        """Closes them, so that Python does not warn of each when it is collected."""
        for asked, _, _ in self._unawaited.values():
            asked.close()

    def allows(self, code: str, frame: FrameType | None) -> bool:
        """Whether a comment at the user's line of this stack allows a rule there."""
        return is_allowed(self._root, user_site(frame, self._root), code)

    def refuse(self, code: str, what: str, frame: FrameType | None) -> RuleViolation:
        """Notes a rule broken by a library call on this stack, and returns the violation."""
        where = user_site(frame, self._root)
        return self.violate(code, f"{_called(frame, self._ranks)}{what}", where)

    def violate(self, code: str, what: str, where: str) -> RuleViolation:
        """Notes a broken rule for good and returns the violation, to be raised in the handler."""
        about = {"function": self.function, "kind": self.kind, "fix": _FIXES.get(code)}
        stage: Stage = "T" if self.kind in KINDS else "R"
        violation = RuleViolation(found(code, what, stage, where, **about))
        if self.violation is None:
            self.violation = violation
        return violation

    def _ended(self, frame: FrameType) -> RuleViolation:
        what = "uses the ctx of a call that has ended"
        return self.violate("HW206", what, user_site(frame, self._root))


class _Both:
    """A tracked coroutine and the one inside it, which closing the outer alone would not reach."""

    def __init__(self, outer: Any, inner: Coroutine[Any, Any, Any]) -> None:
        self._outer, self._inner = outer, inner

    @property
    def cr_frame(self) -> FrameType | None:
        """None once the outer coroutine has ended or was closed."""
        frame: FrameType | None = self._outer.cr_frame
        return frame

    def close(self) -> None:
        """Closes both."""
        self._outer.close()
        self._inner.close()


@coroutine
def _hand_over(run: Asking) -> Generator[Asking, Any, Any]:
    return (yield run)


async def _started(start: Callable[[], None], inner: Coroutine[Any, Any, T]) -> T:
    start()
    return await inner


def _called(frame: FrameType | None, ranks: Ranks) -> str:
    """`calls asyncio.sleep(), which `: the library function nearest to the user's line."""
    name = ""
    while frame is not None and ranks[frame.f_code.co_filename] <= LIBRARY:
        if ranks[frame.f_code.co_filename] == LIBRARY:
            module = str(frame.f_globals.get("__name__", ""))
            package = "asyncio" if module.startswith("asyncio.") else module
            name = f"calls {package}.{frame.f_code.co_qualname}(), which "
        frame = frame.f_back
    return name
