"""Progress: what is recorded in a project, and what a broken file says."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.clock import VirtualClock
from headwater_workshop import progress as progress_module
from headwater_workshop.kit import KitError
from headwater_workshop.lessons import load_lessons
from headwater_workshop.progress import (
    find_project,
    load_progress,
    record_grade,
    record_solution_seen,
    record_start,
    timestamp,
)

LESSON = load_lessons()[0]
MET = {objective.id: True for objective in LESSON.objectives}


def test_a_new_project_has_no_progress(tmp_path: Path) -> None:
    """No file is an empty record, and reading makes none."""
    assert load_progress(tmp_path).lessons == {}
    assert not (tmp_path / ".headwater").exists()


def test_starting_is_remembered_once(tmp_path: Path) -> None:
    """The first start keeps its time; the lesson becomes the current one."""
    record_start(tmp_path, LESSON, "first")
    record_start(tmp_path, LESSON, "second")
    progress = load_progress(tmp_path)
    assert progress.current == LESSON.name
    assert progress.of(LESSON).started == "first"


def test_a_grade_counts_and_a_done_lesson_stays_done(tmp_path: Path) -> None:
    """One objective missing is a failed run; all met is done, whatever comes later."""
    record_grade(tmp_path, LESSON, MET | {LESSON.objectives[0].id: False}, "one")
    assert load_progress(tmp_path).of(LESSON).done is None
    record_grade(tmp_path, LESSON, MET, "two")
    record_grade(tmp_path, LESSON, {}, "three")
    record = load_progress(tmp_path).of(LESSON)
    assert (record.runs, record.failed_runs, record.done) == (3, 2, "two")
    assert record.objectives == {}


def test_only_another_learner_s_part_is_a_new_try(tmp_path: Path) -> None:
    """Not what was begun with, not the same again, not a change of somebody else's function."""
    files = tmp_path / "backend" / "tasks.py"
    files.parent.mkdir()
    files.write_text("def create_task(): ...\n")
    record_start(tmp_path, LESSON, "now")
    tries = []
    for text in (
        "def create_task(): ...\n",
        "def create_task(): return 1\n",
        "def create_task(): return 1\n\n\ndef other(): ...\n",
        "# TODO(human): what?\ndef create_task(): return 1\n",
        "def create_task(: return 1\n",
    ):
        files.write_text(text)
        record_grade(tmp_path, LESSON, {}, "now")
        tries.append(load_progress(tmp_path).of(LESSON).attempts)
    assert tries == [0, 1, 1, 1, 2]
    assert load_progress(tmp_path).of(LESSON).failed_runs == 5


def test_a_solution_seen_before_is_not_solved(tmp_path: Path) -> None:
    """Seen, then green: seen. Green, then seen: done."""
    record_solution_seen(tmp_path, LESSON, "1")
    record_grade(tmp_path, LESSON, MET, "2")
    assert load_progress(tmp_path).of(LESSON).state == "seen"
    other = load_lessons()[1]
    record_grade(tmp_path, other, {each.id: True for each in other.objectives}, "1")
    record_solution_seen(tmp_path, other, "2")
    assert load_progress(tmp_path).of(other).state == "done"


def test_a_seen_solution_stays_seen(tmp_path: Path) -> None:
    """The first look is recorded; seen is not done."""
    record_solution_seen(tmp_path, LESSON, "first")
    record_solution_seen(tmp_path, LESSON, "second")
    record = load_progress(tmp_path).of(LESSON)
    assert (record.solution_seen, record.done) == ("first", None)


@pytest.mark.parametrize("text", ["{", "[]", '{"lessons": {}}', '{"lessons": {"a": {"x": 1}}}'])
def test_a_broken_file_is_named_and_left_alone(tmp_path: Path, text: str) -> None:
    """Nobody's record is thrown away because one letter of it is wrong."""
    path = progress_module.progress_file(tmp_path)
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(KitError, match="cannot be read") as refused:
        load_progress(tmp_path)
    assert refused.value.where == str(path)
    assert path.read_text() == text


def test_a_project_is_found_from_below(tmp_path: Path) -> None:
    """A command works in any folder of the project."""
    (tmp_path / "backend" / "deep").mkdir(parents=True)
    assert find_project(tmp_path / "backend" / "deep") == tmp_path.resolve()


def test_outside_a_project_the_next_step_is_named(tmp_path: Path) -> None:
    """Where there is no backend, the error says how to come to one."""
    with pytest.raises(KitError) as refused:
        find_project(tmp_path)
    assert "headwater new" in refused.value.fix


def test_time_is_to_the_second_and_sorts_by_age() -> None:
    """It comes from a clock, so that tests can move it."""
    clock = VirtualClock(start_ms=1_700_000_000_999.0)
    assert timestamp(clock) == "2023-11-14T22:13:20Z"
