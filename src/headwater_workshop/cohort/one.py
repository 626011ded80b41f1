"""Grades one submission against some lessons: `python -m headwater_workshop.cohort.one`.

A process of its own, so that whatever a submission does to its grader costs that submission only.
It takes one JSON object from its standard input and prints one line of JSON for each lesson.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from headwater.pipe import WorkerLimits
from headwater_workshop.grader.grader import grade
from headwater_workshop.lessons import find_lesson
from headwater_workshop.report import GradeResult

LIMITS = WorkerLimits(load_s=10.0, call_s=5.0)


def main() -> None:
    """Grade what the order names."""
    order = json.load(sys.stdin)
    project, refused = Path(order["project"]), None
    for name in order["lessons"]:
        if refused is None:
            result = _graded(project, name, order["seed"])
        else:
            result = replace(refused, lesson=name)  # the same code fails to load in each lesson
        if _does_not_load(result):
            refused = result
        print(json.dumps(_plain(result)), flush=True)


def _graded(project: Path, name: str, seed: int) -> GradeResult:
    result = grade(project, find_lesson(name), seed=seed, limits=LIMITS, least="L2")
    return replace(result, trust="instructor")


def _does_not_load(result: GradeResult) -> bool:
    return result.checks[0].name == "loads" and result.checks[0].outcome == "failed"


def _plain(result: GradeResult) -> dict[str, Any]:
    """What the gradebook needs of a record."""
    findings = [check.finding for check in result.checks if check.finding is not None]
    return {
        "lesson": result.lesson,
        "passed": result.passed,
        "objectives": {each.id: each.met for each in result.objectives},
        "codes": sorted({finding.code for finding in findings}),
        "rules": sorted({check.rule for check in result.checks if check.finding and check.rule}),
        "first": str(findings[0].what) if findings else "",
        "sources": result.sources,
        "jail": result.jail,
        "trust": result.trust,
        "seed": result.seed,
        "seconds": round(result.seconds, 3),
    }


if __name__ == "__main__":
    main()
