"""A lesson seen from inside a project: its files, its list of allowed ones, its differences."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater_workshop.course import allowed, comparison, lesson_files, state_of
from headwater_workshop.kit import write_tree
from headwater_workshop.lessons import load_lessons
from headwater_workshop.progress import LessonProgress, Progress
from headwater_workshop.stages import stage, started

LESSON = load_lessons()[0]


@pytest.mark.parametrize(
    ("record", "current", "state"),
    [
        (LessonProgress(), None, "open"),
        (LessonProgress(started="t"), None, "begun"),
        (LessonProgress(started="t"), LESSON.name, "current"),
        (LessonProgress(started="t", done="t"), LESSON.name, "done"),
    ],
)
def test_a_lesson_is_open_begun_current_or_done(
    record: LessonProgress, current: str | None, state: str
) -> None:
    """One word for each, the furthest one wins."""
    progress = Progress(current=current, lessons={LESSON.name: record})
    assert state_of(LESSON, progress)["state"] == state


def test_allowed_files_are_those_the_lesson_lists() -> None:
    """Patterns reach into folders; everything else is outside."""
    assert allowed(LESSON, "backend/tasks.py")
    assert allowed(LESSON, "tests/deep/test_more.py")
    assert not allowed(LESSON, "backend/messages.py")
    assert not allowed(LESSON, "tests.py")


def test_a_lesson_begins_with_files_that_fit_together() -> None:
    """Each one is as of the beginning of the lesson, and the starter's are among them."""
    files = lesson_files(LESSON)
    assert set(LESSON.overlay("starter")) <= set(files)
    assert all(started(LESSON)[name] == content for name, content in files.items())


def test_comparisons_name_both_sides(tmp_path: Path) -> None:
    """From the starter to one's own, or from one's own to the solution; files outside stay out."""
    write_tree(started(LESSON), tmp_path)
    write_tree({"backend/messages.py": b"# not of this lesson\n"}, tmp_path)
    assert comparison(tmp_path, LESSON, solution=False) == ""
    text = comparison(tmp_path, LESSON, solution=True)
    assert "--- yours/backend/tasks.py\n+++ solution/backend/tasks.py\n" in text
    assert "messages" not in text.replace("backend.messages", "")
    write_tree(stage(LESSON.number), tmp_path)
    assert comparison(tmp_path, LESSON, solution=True) == ""
