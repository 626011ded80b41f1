"""Which lesson is in hand."""

from __future__ import annotations

from pathlib import Path

from headwater_workshop.hooks.own import lesson_in_hand
from headwater_workshop.lessons import find_lesson
from headwater_workshop.progress import progress_file, record_grade
from tests.workshop.hooks.payloads import AT, make


def test_a_lesson_is_in_hand_from_its_start_until_it_is_done(tmp_path: Path) -> None:
    """Not before, not after, and not when the record cannot be read."""
    assert lesson_in_hand(make(tmp_path / "before")) is None
    project = make(tmp_path, lesson="1")
    found = lesson_in_hand(project)
    assert found is not None
    assert found[0].number == 1
    lesson = find_lesson("1")
    record_grade(project, lesson, {each.id: True for each in lesson.objectives}, AT)
    assert lesson_in_hand(project) is None
    progress_file(project).write_text("{")
    assert lesson_in_hand(project) is None
