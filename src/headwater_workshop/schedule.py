"""Schedules of a workshop, computed from the lessons' minutes: one of 90 minutes, one of a day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from headwater_workshop.lessons import Lesson

SHORT_MINUTES: Final = 90
CHECK_IN: Final = 8
DAY_FROM, DAY_UNTIL, NOON = 9 * 60, 17 * 60, 12 * 60
SET_UP, WRAP_UP, BREAK, LUNCH = 20, 15, 15, 60
AT_A_STRETCH: Final = 90
"""Minutes of work without a break, at most."""


@dataclass(frozen=True)
class Block:
    """One line of a schedule.

    Attributes:
        starts: minutes since midnight; in the short workshop since its beginning.
        lesson: None for what is not a lesson.
    """

    starts: int
    minutes: int
    what: str
    lesson: Lesson | None = None

    @property
    def time(self) -> str:
        """When it starts, as `09:20`."""
        return f"{self.starts // 60:02}:{self.starts % 60:02}"


@dataclass(frozen=True)
class Schedule:
    """The lines of a workshop, and what is left of its time.

    Attributes:
        slack: minutes that are left at the end; negative when the lessons take too long.
        spare: optional lessons, for who has time left.
    """

    blocks: tuple[Block, ...]
    slack: int
    spare: tuple[Lesson, ...] = ()


_Part = tuple[int, str, Lesson | None]


def short(lessons: Sequence[Lesson]) -> Schedule:
    """90 minutes: the lessons that have short minutes, each begun from a checkpoint."""
    taught = [lesson for lesson in lessons if lesson.minutes_short]
    parts: list[_Part] = [(CHECK_IN, "Check-in and a prediction", None)]
    parts += [(lesson.minutes_short, lesson.title, lesson) for lesson in taught]
    blocks = _placed(parts, 0)
    return Schedule(blocks, SHORT_MINUTES - sum(block.minutes for block in blocks))


def day(lessons: Sequence[Lesson]) -> Schedule:
    """One day: every lesson that is not optional, with breaks; the rest for who has time left."""
    taught = [lesson for lesson in lessons if not lesson.optional]
    blocks = _placed(list(_with_breaks(taught)), DAY_FROM)
    ends = blocks[-1].starts + blocks[-1].minutes
    spare = tuple(lesson for lesson in lessons if lesson.optional)
    return Schedule(blocks, DAY_UNTIL - ends, spare)


def _with_breaks(lessons: Sequence[Lesson]) -> Iterator[_Part]:
    yield SET_UP, "Set-up", None
    at, stretch, eaten = DAY_FROM + SET_UP, SET_UP, False
    for lesson in lessons:
        if stretch + lesson.minutes > AT_A_STRETCH:
            hungry = at >= NOON and not eaten
            pause = (LUNCH, "Lunch", None) if hungry else (BREAK, "Break", None)
            yield pause
            at, stretch, eaten = at + pause[0], 0, eaten or hungry
        yield lesson.minutes, lesson.title, lesson
        at, stretch = at + lesson.minutes, stretch + lesson.minutes
    yield WRAP_UP, "Wrap-up", None


def _placed(parts: list[_Part], first: int) -> tuple[Block, ...]:
    starts = accumulate((minutes for minutes, _, _ in parts), initial=first)
    return tuple(
        Block(at, minutes, what, lesson)
        for at, (minutes, what, lesson) in zip(starts, parts, strict=False)
    )
