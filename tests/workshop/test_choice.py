"""Which lesson and objective a word means."""

from __future__ import annotations

import pytest

from headwater_workshop.choice import chosen_lesson, chosen_objective, lesson_in_view
from headwater_workshop.lessons import LessonError, load_lessons
from headwater_workshop.progress import LessonProgress, Progress

FIRST, SECOND = load_lessons()[:2]


def test_without_a_word_it_is_the_lesson_one_is_in() -> None:
    """The current one while it is not done; else the first that is not."""
    assert chosen_lesson(None, Progress()) == FIRST
    assert chosen_lesson(None, Progress(current=SECOND.name)) == SECOND
    done = LessonProgress(done="2026-01-01T00:00:00Z")
    assert chosen_lesson(None, Progress(FIRST.name, {FIRST.name: done})) == SECOND


def test_who_looks_back_sees_the_lesson_just_done() -> None:
    """And not the one after it, whose solution is still closed."""
    done = LessonProgress(done="2026-01-01T00:00:00Z")
    assert lesson_in_view(None, Progress(FIRST.name, {FIRST.name: done})) == FIRST
    assert lesson_in_view("2", Progress(FIRST.name, {FIRST.name: done})) == SECOND
    assert lesson_in_view(None, Progress()) == FIRST


def test_without_a_word_it_is_the_first_objective_that_is_not_met() -> None:
    """As the grader last saw it; a word may name another."""
    first, second = (objective.id for objective in FIRST.objectives[:2])
    progress = Progress(FIRST.name, {FIRST.name: LessonProgress(objectives={first: True})})
    assert chosen_objective(None, progress) == (FIRST, second)
    assert chosen_objective(first.lower(), progress) == (FIRST, first)
    with pytest.raises(LessonError, match="no objective"):
        chosen_objective("L1.99", progress)
