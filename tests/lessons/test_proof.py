"""The course proves itself: starters fail, right solutions pass, wrong ones get their message."""

from __future__ import annotations

import pytest

from headwater_workshop.lessons import Lesson

from .graded import findings, graded
from .parts import CHEATS, LESSONS, RIGHT, WRONG, name_of

DAILY = (1, 2, 3, 4)  # lessons whose wrong solutions are graded every day; all are, in prove
each_wrong_one = pytest.mark.parametrize(
    ("lesson", "name"),
    [
        pytest.param(each, name, marks=[] if each.number in DAILY else [pytest.mark.prove])
        for each, name in WRONG
    ],
    ids=lambda value: name_of(value) or value,
)
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=name_of)


@each_lesson
def test_a_starter_loads_and_fails_its_own_lesson(lesson: Lesson) -> None:
    """It is code that runs, and the grader has something to say about it."""
    result = graded(lesson.number, lesson.number, "started")
    assert result.checks[0].outcome == "passed", findings(result)
    assert not result.passed
    assert findings(result)


@each_lesson
def test_the_stage_before_fails_the_lesson(lesson: Lesson) -> None:
    """Nobody has passed a lesson by having done the one before."""
    assert not graded(lesson.number - 1, lesson.number, "stage").passed


@each_lesson
def test_a_solved_lesson_passes(lesson: Lesson) -> None:
    """A stage passes the lesson it is named after."""
    result = graded(lesson.number, lesson.number, "stage")
    assert result.passed, findings(result)


@pytest.mark.prove
@each_lesson
def test_the_last_stage_passes_every_lesson(lesson: Lesson) -> None:
    """What was learned stays right to the end."""
    result = graded(LESSONS[-1].number, lesson.number, "stage")
    assert result.passed, findings(result)


@pytest.mark.prove
@each_lesson
def test_a_stage_passes_every_lesson_up_to_its_own(lesson: Lesson) -> None:
    """And on the way there, too."""
    for before in LESSONS[: LESSONS.index(lesson)]:
        result = graded(lesson.number, before.number, "stage")
        assert result.passed, findings(result)


@pytest.mark.parametrize(("lesson", "name"), RIGHT, ids=lambda value: name_of(value) or value)
def test_another_right_solution_passes(lesson: Lesson, name: str) -> None:
    """The grader looks at what a solution does, not at how it is written."""
    result = graded(lesson.number, lesson.number, f"right/{name}")
    assert result.passed, findings(result)


@pytest.mark.parametrize(("lesson", "name"), CHEATS, ids=lambda value: name_of(value) or value)
def test_a_cheat_of_the_lesson_does_not_pass(lesson: Lesson, name: str) -> None:
    """What looks right without being right is found out."""
    result = graded(lesson.number, lesson.number, f"cheat/{name}")
    assert not result.passed
    assert result.count("failed") >= 1


@each_wrong_one
def test_a_wrong_solution_gets_its_message(lesson: Lesson, name: str) -> None:
    """It fails, and the first thing that is said is the mistake it was made for."""
    expected = lesson.expected(name)
    result = graded(lesson.number, lesson.number, f"wrong/{name}")
    assert not result.passed
    first = findings(result)[0]
    assert (first.code, expected.phrase in first.what) == (expected.code, True), first


@each_wrong_one
def test_a_wrong_solution_has_nothing_else_wrong(lesson: Lesson, name: str) -> None:
    """One mistake each: every finding has the code it was made for."""
    expected = lesson.expected(name)
    result = graded(lesson.number, lesson.number, f"wrong/{name}")
    assert {each.code for each in findings(result)} == {expected.code}, findings(result)
