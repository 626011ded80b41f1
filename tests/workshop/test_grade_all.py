"""The table of all lessons."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from headwater_workshop.grader.all_lessons import Row, grade_all, show_all
from headwater_workshop.lessons import load_lessons
from headwater_workshop.stages import stage, write

FIRST, SECOND = load_lessons()[:2]


def test_what_has_not_begun_is_not_graded(tmp_path: Path) -> None:
    """It has no result, so nobody is told that they failed it, and it has not passed."""
    write(stage(0), tmp_path)
    told: list[object] = []
    rows = grade_all(tmp_path, [FIRST, SECOND], lambda *each: told.append(each))
    assert told == []
    assert rows == [Row(FIRST, None), Row(SECOND, None)]
    assert not any(row.passed for row in rows)


def test_the_table_ends_with_what_is_next() -> None:
    """How far it is, and the first lesson that has not passed."""
    out = io.StringIO()
    show_all([Row(FIRST, None), Row(SECOND, None)], Console(file=out, width=100))
    assert "0 of 2 lessons pass" in out.getvalue()
    assert out.getvalue().endswith("Next: headwater lesson start 1\n")
