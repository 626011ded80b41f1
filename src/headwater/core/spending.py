"""Says of a public action that costs money by the call when it took no token first (HW304).

A warning in the action's log, where the guards are on: it reached the network, its module knows a
library that is paid for by the call, and it had run no mutation that could have refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from headwater.core.logs import CallLog
from headwater.core.violations import found
from headwater.rules.callers import PAID


@dataclass
class Spending:
    """One run of an action that may cost money.

    Attributes:
        limited: it has run a mutation, which may have refused.
    """

    function: str
    where: str
    library: str
    log: CallLog
    limited: bool = False


_current: ContextVar[Spending | None] = ContextVar("headwater_spending", default=None)


@contextmanager
def spending(function: str, where: str, handler: Any, log: CallLog) -> Iterator[None]:
    """Watches over a public action while it runs, if its module knows a paid library.

    Args:
        function: its path.
        where: its file and line.
        handler: the coroutine function.
        log: where a warning goes.
    """
    library = _paid(handler)
    token = _current.set(Spending(function, where, library, log) if library else None)
    try:
        yield
    finally:
        _current.reset(token)


def note_mutation() -> None:
    """The running action has run a mutation."""
    current = _current.get()
    if current is not None:
        current.limited = True


def note_network() -> None:
    """The running code reaches the network."""
    current = _current.get()
    if current is None or current.limited:
        return
    current.limited = True  # told once
    what = f"any client may call {current.library} as often as it likes"
    told = found("HW304", what, "T", current.where, function=current.function, kind="action")
    current.log.add("WARN", repr(replace(told, severity="warning").render()))


def _paid(handler: Any) -> str:
    """The paid package that a handler's module has imported from, if any."""
    for value in list(handler.__globals__.values()):
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
        for package in PAID:
            if home == package or str(home).startswith(f"{package}."):
                return package
    return ""
