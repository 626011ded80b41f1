"""`headwater grade --all`: every lesson in one table, and how far that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..bar import how_far
from ..course import not_begun
from ..lessons import Lesson
from ..progress import load_progress
from ..report import GradeResult
from ..sandbox import jail
from . import grader


@dataclass(frozen=True)
class Row:
    """One lesson of the table; `result` is None where it has not begun, so it was not graded."""

    lesson: Lesson
    result: GradeResult | None

    @property
    def passed(self) -> bool:
        """Whether it was graded, and every check passed."""
        return self.result is not None and self.result.passed

    @property
    def met(self) -> int:
        """How many of its objectives are met."""
        return sum(each.met for each in self.result.objectives) if self.result else 0

    @property
    def state(self) -> str:
        """`passed`, `not yet` or `not begun`."""
        return "not begun" if self.result is None else "passed" if self.passed else "not yet"

    def to_json(self) -> dict[str, Any]:
        """The row as plain data, with the whole record."""
        record = self.result.to_json() if self.result else None
        return {"lesson": self.lesson.name, "state": self.state, "record": record}


def grade_all(
    project: Path,
    lessons: Sequence[Lesson],
    told: Callable[[Lesson, GradeResult], Any],
    *,
    seed: int | None = None,
    graded: Callable[..., GradeResult] = grader.grade,
) -> list[Row]:
    """Grade each lesson that has begun.

    Args:
        told: called with each result as it comes.
        seed: what makes the random inputs of an earlier run again.
        graded: grades, as `grader.grade` does.
    """
    jail.expect_workers()
    rows: list[Row] = []
    for lesson in lessons:
        result = None
        if not not_begun(project, lesson):
            result = graded(project, lesson, seed=seed)
            if not (result.passed or load_progress(project).of(lesson).started):
                result = None  # it was never begun: other lessons work in the same files
        if result is not None:
            told(lesson, result)
        rows.append(Row(lesson, result))
    return rows


def show_all(rows: Sequence[Row], console: Console) -> None:
    """Print the table, how far that is, and the command that goes on."""
    table = Table("", "Lesson", "Objectives", "Checks", "State", "Seconds", box=None)
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)
    passed = sum(row.passed for row in rows)
    console.print(f"\n{escape(how_far(passed, len(rows), 'lessons pass'))}")
    left = next((row for row in rows if not row.passed), None)
    if left is not None:
        verb = "grade" if left.result else "lesson start"
        console.print(f"Next: headwater {verb} {left.lesson.number}")


def _cells(row: Row) -> tuple[str, ...]:
    number, title = str(row.lesson.number), escape(row.lesson.title)
    objectives = f"{row.met} of {len(row.lesson.objectives)} met"
    if row.result is None:
        return number, title, objectives, "-", f"[dim]{row.state}[/dim]", "-"
    checks = f"{row.result.count('passed')} of {len(row.result.checks)}"
    colour = "green" if row.passed else "red"
    state = f"[{colour}]{row.state}[/{colour}]"
    return number, title, objectives, checks, state, f"{row.result.seconds:.1f}"
