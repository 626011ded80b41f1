"""Schedules follow from the lessons' minutes alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from headwater_workshop.cli.lesson import app
from headwater_workshop.lessons import Lesson, load_lessons
from headwater_workshop.schedule import AT_A_STRETCH, BREAK, LUNCH, Schedule, day, short

FIRST = load_lessons()[0]
PLAN = {
    1: (25, 12), 2: (30, 15), 3: (25, 0), 4: (25, 12), 5: (25, 13), 6: (15, 0), 7: (25, 0),
    8: (30, 15), 9: (35, 0), 10: (30, 0), 11: (25, 0), 12: (25, 0), 13: (20, 0), 14: (35, 10),
}  # fmt: skip
OPTIONAL = (11, 12, 13)


@pytest.fixture
def course() -> list[Lesson]:
    """The minutes of a whole course."""
    return [
        replace(
            FIRST,
            number=number,
            title=f"T{number}",
            minutes=minutes,
            minutes_short=quick,
            optional=number in OPTIONAL,
        )
        for number, (minutes, quick) in PLAN.items()
    ]


def at(schedule: Schedule) -> list[tuple[str, str]]:
    """When what begins."""
    return [(block.time, block.what) for block in schedule.blocks]


def test_a_day_has_breaks_where_people_need_them(course: list[Lesson]) -> None:
    """Lunch at noon, a break after 90 minutes at most, and everything that is not optional."""
    plan = day(course)
    times = {what: time for time, what in at(plan) if what != "Break"}
    assert times["Lunch"] == "12:00"
    assert [time for time, what in at(plan) if what == "Break"] == ["10:15", "14:30"]
    assert (times["Wrap-up"], plan.slack) == ("15:50", 55)
    assert [lesson.number for lesson in plan.spare] == list(OPTIONAL)
    stretch = 0
    for block in plan.blocks:
        rests = block.minutes in (BREAK, LUNCH) and block.what in ("Break", "Lunch")
        stretch = 0 if rests else stretch + block.minutes
        assert stretch <= AT_A_STRETCH


def test_90_minutes_hold_the_short_lessons(course: list[Lesson]) -> None:
    """Check-in, six blocks of a quarter of an hour at most, and a little slack."""
    plan = short(course)
    numbers = [block.lesson.number for block in plan.blocks if block.lesson]
    assert numbers == [1, 2, 4, 5, 8, 14]
    assert all(block.minutes <= 15 for block in plan.blocks)
    assert (plan.slack, plan.blocks[1].time) == (5, "00:08")


def test_a_course_that_takes_too_long_says_so(course: list[Lesson]) -> None:
    """Slack below nothing is for who plans to see."""
    assert day([replace(each, minutes=45) for each in course]).slack < 0


@pytest.mark.parametrize("words", [[], ["--short"]])
def test_the_command_prints_it_for_people_and_programs(words: list[str]) -> None:
    """The published lessons' own schedule."""
    told = CliRunner().invoke(app, ["schedule", *words])
    assert told.exit_code == 0
    assert "L1" in told.output
    data = json.loads(CliRunner().invoke(app, ["schedule", *words, "--json"]).output)
    assert data["blocks"][1]["lesson"] == 1
    assert f"{data['slack']} minutes are left" in told.output
