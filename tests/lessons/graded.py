"""Grading a tree of project files, each distinct one once for all tests."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from headwater_workshop.grader.grader import grade
from headwater_workshop.lessons import Lesson
from headwater_workshop.report import Finding, GradeResult
from headwater_workshop.stages import stage, started, variant, write

from .parts import LESSONS

SEED = 20_251


@cache
def graded(number: int, against: int, part: str) -> GradeResult:
    """What the grader says about a state of lesson `number`, against lesson `against`.

    Args:
        part: `stage`, `started`, or a variant: `right/NAME`, `wrong/NAME`.
    """
    by_number = {lesson.number: lesson for lesson in LESSONS}
    with tempfile.TemporaryDirectory() as folder:
        write(_tree(by_number.get(number), part), Path(folder))
        return grade(Path(folder), by_number[against], seed=SEED)


def _tree(lesson: Lesson | None, part: str) -> dict[str, bytes]:
    if lesson is None:
        return stage(0)
    if part == "stage":
        return stage(lesson.number)
    return started(lesson) if part == "started" else variant(lesson, part)


def findings(result: GradeResult) -> list[Finding]:
    """What the failed checks said, in their order."""
    return [check.finding for check in result.checks if check.finding is not None]
