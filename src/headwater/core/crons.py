"""`backend/crons.py`: calls that repeat, declared by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from headwater.core.codecs import lower
from headwater.core.declared_at import called_at
from headwater.core.functions import ActionFn, MutationFn, Registered
from headwater.core.manifest import CronSpec
from headwater.core.names import wire_name
from headwater.core.schedules import Schedule, cron, every
from headwater.core.violations import found
from headwater.errors import RegistrationError, RuleViolation

Target = MutationFn[..., Any] | ActionFn[..., Any]
Arguments = Mapping[str, Any] | None
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


class Crons:
    """The crons of a backend: `crons = Crons()` in `backend/crons.py`, then one call for each.

    Targets are internal mutations and actions. No two runs of one cron overlap: a run that is due
    while the one before it still goes on is skipped, as are those a stopped server missed.
    """

    def __init__(self) -> None:
        self._declared: dict[str, tuple[Target, Schedule, dict[str, Any], str]] = {}

    def interval(
        self,
        name: str,
        function: Target,
        /,
        *,
        seconds: float = 0,
        minutes: float = 0,
        hours: float = 0,
        args: Arguments = None,
    ) -> None:
        """Runs a function every so often, the first time when it is deployed.

        Args:
            name: of the cron, unique.
            function: an internal mutation or action.
            seconds: with `minutes` and `hours`, the time between two runs, a second or more.
            args: the function's arguments.

        Raises:
            RegistrationError: a name that is taken, a time that is none.
        """
        self._add(name, function, every(seconds + 60 * (minutes + 60 * hours)), args)

    def hourly(
        self, name: str, function: Target, /, *, minute_utc: int, args: Arguments = None
    ) -> None:
        """Runs a function every hour at a minute; otherwise as `interval`."""
        self._add(name, function, cron(f"{_minute(minute_utc)} * * * *"), args)

    def daily(
        self,
        name: str,
        function: Target,
        /,
        *,
        hour_utc: int,
        minute_utc: int = 0,
        args: Arguments = None,
    ) -> None:
        """Runs a function every day at a time, in UTC; otherwise as `interval`."""
        self._add(name, function, cron(f"{_time(hour_utc, minute_utc)} * * *"), args)

    def weekly(
        self,
        name: str,
        function: Target,
        /,
        *,
        day_of_week: Weekday,
        hour_utc: int,
        minute_utc: int = 0,
        args: Arguments = None,
    ) -> None:
        """Runs a function on a day of each week, such as "monday"; otherwise as `daily`."""
        if day_of_week not in _DAYS:
            raise _wrong(f"{day_of_week!r} is no day of the week; days: {_DAYS}")
        day = _DAYS.index(day_of_week)
        self._add(name, function, cron(f"{_time(hour_utc, minute_utc)} * * {day}"), args)

    def monthly(
        self,
        name: str,
        function: Target,
        /,
        *,
        day: int,
        hour_utc: int,
        minute_utc: int = 0,
        args: Arguments = None,
    ) -> None:
        """Runs a function on a day of each month that has it; otherwise as `daily`."""
        time = _time(hour_utc, minute_utc)
        self._add(name, function, cron(f"{time} {_in(day, 1, 31, 'day')} * *"), args)

    def cron(
        self, name: str, expression: str, function: Target, /, *, args: Arguments = None
    ) -> None:
        """Runs a function by a cron expression of five fields in UTC; otherwise as `interval`."""
        self._add(name, function, cron(expression), args)

    def _add(self, name: str, function: Target, schedule: Schedule, args: Arguments) -> None:
        if name in self._declared:
            raise _wrong(f"two crons are called {name!r}", "give each a name of its own")
        if not isinstance(function, MutationFn | ActionFn):
            raise _wrong(
                f"cron {name!r}: the target is an @internal_mutation or @internal_action, "
                f"not {function!r}",
                "import the function and pass it: crons.daily(name, clean, hour_utc=2)",
            )
        self._declared[name] = function, schedule, dict(args or {}), called_at()

    def specs(self, own: Mapping[str, Any]) -> dict[str, CronSpec]:
        """The crons as plain data.

        Args:
            own: the backend's functions by path.

        Raises:
            RegistrationError: a target of no module of the backend, arguments that do not fit it.
            RuleViolation: a public target.
        """
        return {
            name: _spec(name, function, schedule, args, own, where)
            for name, (function, schedule, args, where) in self._declared.items()
        }


def _spec(
    name: str,
    function: Registered[..., Any],
    schedule: Schedule,
    args: dict[str, Any],
    own: Mapping[str, Any],
    where: str,
) -> CronSpec:
    if function.path not in own:
        fix = "move the function into a module of backend/"
        raise _wrong(f"cron {name!r}: {function!r} is in no module of backend/", fix, where)
    spec = function.read.spec
    if spec.is_public:
        what = f"cron {name!r}: {spec.path} is public"
        fix = f"make it an @internal_{spec.kind}"
        raise RuleViolation(found("HW302", what, "R", where, fix=fix))
    wires = {wire_name(key): lower(value) for key, value in args.items()}
    misfit = spec.arguments.check(wires, lambda _text: None)
    if misfit is not None:
        what = f"cron {name!r}: the arguments do not fit {spec.path}: {misfit}"
        raise _wrong(what, "give them by args={...}, as the function's signature says", where)
    return CronSpec(name, spec.path, schedule, wires)


def _wrong(what: str, fix: str = "", where: str = "") -> RegistrationError:
    return RegistrationError(what).by_rule("HW501", fix, where)


def _time(hour: int, minute: int) -> str:
    return f"{_minute(minute)} {_in(hour, 0, 23, 'hour_utc')}"


def _minute(minute: int) -> int:
    return _in(minute, 0, 59, "minute_utc")


def _in(value: int, low: int, high: int, name: str) -> int:
    if type(value) is not int or not low <= value <= high:
        raise _wrong(f"{name} is a whole number from {low} to {high}, not {value!r}")
    return value
