"""Schedules of crons: every so many seconds, or a cron expression in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cronsim import CronSim, CronSimError

from headwater.errors import RegistrationError


@dataclass(frozen=True)
class Schedule:
    """When a cron runs: by interval or by expression, one of the two.

    Attributes:
        seconds: between two runs.
        expression: five fields, in UTC.
    """

    seconds: float | None = None
    expression: str | None = None

    def next_after(self, ms: float) -> float:
        """The first time after a time that the schedule names; both ms since 1970."""
        if self.seconds is not None:
            return ms + self.seconds * 1000
        moment = datetime.fromtimestamp(ms / 1000, UTC)
        return next(CronSim(self.expression or "", moment)).timestamp() * 1000

    def first(self, now_ms: float) -> float:
        """The first run of a cron that is new: an interval begins at once, as in Convex."""
        return now_ms if self.seconds is not None else self.next_after(now_ms)

    def following(self, due_ms: float, now_ms: float) -> float:
        """The run after one that was due; those that were missed meanwhile are skipped."""
        if self.seconds is None:
            return self.next_after(now_ms)
        step = self.seconds * 1000
        return due_ms + step * (1 + max(0.0, (now_ms - due_ms) // step))

    def __str__(self) -> str:
        return f"every {self.seconds:g} s" if self.seconds is not None else f"{self.expression} UTC"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"seconds": self.seconds, "expression": self.expression}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schedule:
        """The schedule `to_json` made this from."""
        seconds = data["seconds"]
        if seconds is not None:
            return every(float(seconds))
        return cron(str(data["expression"]))


def every(seconds: float) -> Schedule:
    """A schedule by interval.

    Raises:
        RegistrationError: less than a second, or no number.
    """
    if not seconds >= 1 or seconds == float("inf"):
        text = f"an interval is 1 second or more, not {seconds:g} s"
        raise RegistrationError(text).by_rule("HW501")
    return Schedule(seconds=float(seconds))


def cron(expression: str) -> Schedule:
    """A schedule by cron expression: minute, hour, day of the month, month, day of the week.

    Raises:
        RegistrationError: it is no such expression, or names a day that never comes.
    """
    if len(expression.split()) != 5:
        raise RegistrationError(
            f"{expression!r} is no cron expression: it has five fields, minute hour day month "
            "weekday, such as '0 16 1 * *'"
        ).by_rule("HW501")
    try:
        next(CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        text = f"{expression!r} is no cron expression: {error}"
        raise RegistrationError(text).by_rule("HW501") from None
    return Schedule(expression=expression)
