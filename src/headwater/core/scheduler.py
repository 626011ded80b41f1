"""`ctx.scheduler`: calls that run later, by themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol

from headwater.core import requests
from headwater.core.codecs import lower
from headwater.core.schema import Id
from headwater.core.system import ScheduledFunction
from headwater.errors import QueryInvalid

if TYPE_CHECKING:
    from headwater.core.functions import ActionFn, MutationFn, Registered

P = ParamSpec("P")

JobId = Id[ScheduledFunction]


class Ask(Protocol):
    """How a request reaches the database: inside a mutation's transaction, or in one of its own."""

    def __call__(
        self, request: Any, then: Callable[[Any], Any] | None = None, /
    ) -> Coroutine[Any, Any, Any]: ...


class Scheduler:
    """Schedules calls. In a mutation they commit or roll back with it; in an action, at once.

    A scheduled mutation is run exactly once, a scheduled action at most once, both without an
    identity: who asked is not passed on.

    Args:
        ask: how requests are made.
        now: ms since 1970.
    """

    def __init__(self, ask: Ask, now: Callable[[], float]) -> None:
        self._ask = ask
        self._now = now

    def run_after(
        self,
        delay_ms: float,
        function: MutationFn[P, Any] | ActionFn[P, Any],
        /,
        *args: P.args,
        **arguments: P.kwargs,
    ) -> Coroutine[Any, Any, JobId]:
        """Runs a function after a delay; 0 is right after the commit.

        Args:
            delay_ms: milliseconds from now, 0 or more.
            function: a mutation or action; an internal one is best, for nobody else can call it.
            args: its arguments.

        Raises:
            QueryInvalid: a delay that is negative or no number.
            ArgumentValidationError: the arguments do not fit the function.
        """
        if not (isinstance(delay_ms, int | float) and math.isfinite(delay_ms)):
            raise QueryInvalid(f"`delay_ms` must be a finite number, not {delay_ms!r}")
        if delay_ms < 0:
            raise QueryInvalid(f"`delay_ms` must be non-negative, not {delay_ms!r}")
        return self._schedule(self._now() + delay_ms, function, args, arguments)

    def run_at(
        self,
        moment: float | datetime,
        function: MutationFn[P, Any] | ActionFn[P, Any],
        /,
        *args: P.args,
        **arguments: P.kwargs,
    ) -> Coroutine[Any, Any, JobId]:
        """Runs a function at a time; one that is past is run right after the commit.

        Args:
            moment: ms since 1970, or a datetime with a time zone.
            function: as for `run_after`.
            args: its arguments.
        """
        return self._schedule(_ms(moment), function, args, arguments)

    def cancel(self, job: JobId, /) -> Coroutine[Any, Any, None]:
        """Cancels a scheduled call: one that waits never runs; one that runs goes on, but can
        schedule nothing any more; one that has ended stays as it is.

        Raises:
            InvalidStorageId: the id is no scheduled call's.
        """
        return self._ask(requests.Cancel(str(job)))

    def _schedule(
        self,
        at_ms: float,
        function: Registered[Any, Any],
        args: tuple[Any, ...],
        arguments: dict[str, Any],
    ) -> Coroutine[Any, Any, JobId]:
        fields = lower(function.read.wire_arguments(args, arguments))
        return self._ask(requests.Schedule(function.path, fields, float(at_ms)), Id)


def _ms(moment: Any) -> float:
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise QueryInvalid(
                f"run_at({moment!r}): a datetime needs a time zone, such as datetime.now(UTC)"
            )
        return moment.timestamp() * 1000
    if isinstance(moment, bool) or not isinstance(moment, int | float) or not math.isfinite(moment):
        raise QueryInvalid(f"run_at() takes ms since 1970 or a datetime, not {moment!r}")
    return float(moment)
