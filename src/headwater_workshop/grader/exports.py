"""The grader's record in the forms that other programs read.

Exercism    results.json, version 3, of the platform's test-runner interface
Gradescope  results.json of an autograder
JUnit       XML, for continuous integration
CSV         one row for each check
SARIF       the rules that were broken, for code hosts and editors
"""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any, Final

from headwater.check.sarif import to_sarif
from headwater.rules import RULES
from headwater.rules import Finding as RuleFinding
from headwater_workshop.report import CheckResult, GradeResult, Outcome

_POINTS: Final = 10.0
_OUTPUT_CHARS: Final = 500
_EXERCISM: Final[dict[Outcome, str]] = {"passed": "pass", "failed": "fail", "skipped": "error"}


def exercism(result: GradeResult) -> dict[str, Any]:
    """The record as Exercism's results.json, version 3; an objective is one of its tasks."""
    tasks = {each.id: number for number, each in enumerate(result.objectives, 1)}
    return {
        "version": 3,
        "status": "pass" if result.passed else "fail",
        "message": None,
        "tests": [
            {
                "name": check.title,
                "status": _EXERCISM[check.outcome],
                "message": _message(check)[:_OUTPUT_CHARS] or None,
                "output": None,
                "test_code": check.name,
                "task_id": tasks[check.objective],
            }
            for check in result.checks
        ],
    }


def gradescope(result: GradeResult) -> dict[str, Any]:
    """The record as Gradescope's results.json: ten points for each objective that is met."""
    return {
        "score": _POINTS * sum(each.met for each in result.objectives),
        "execution_time": round(result.seconds),
        "output": f"{result.lesson}, seed {result.seed}, sandbox {result.jail}, "
        f"trust: {result.trust}, sources {result.sources}",
        "output_format": "text",
        "visibility": "visible",
        "tests": [
            {
                "number": each.id,
                "name": each.text,
                "name_format": "text",
                "score": _POINTS if each.met else 0.0,
                "max_score": _POINTS,
                "status": "passed" if each.met else "failed",
                "output": _said(result, each.id),
                "output_format": "text",
            }
            for each in result.objectives
        ],
    }


def _said(result: GradeResult, objective: str) -> str:
    checks = (check for check in result.checks if check.objective == objective)
    return "\n\n".join(filter(None, map(_message, checks)))


def _message(check: CheckResult) -> str:
    if check.outcome == "skipped":
        return f"{check.title}: skipped, {check.reason}"
    return str(check) if check.finding is not None else ""


def as_csv(result: GradeResult) -> str:
    """One row for each check, with its objective, how it ended and what was said."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["lesson", "objective", "check", "outcome", "code", "rule", "said", "seconds"])
    for check in result.checks:
        code = check.finding.code if check.finding else ""
        said = check.finding.what if check.finding else check.reason
        facts = (result.lesson, check.objective, check.title, check.outcome, code, check.rule)
        rows.writerow([*facts, said, f"{check.seconds:.3f}"])
    return text.getvalue()


def sarif(result: GradeResult) -> dict[str, Any]:
    """The rules of the rulebook that failed checks are about, at the places they name."""
    return to_sarif(
        [
            RuleFinding(
                code=check.rule,
                severity=RULES[check.rule].severity,
                stage="T",
                path=check.place.split(" ")[0],
                line=0,
                col=0,
                what=check.finding.what.rstrip("."),
                why="",
                fix=check.finding.fix,
                docs=RULES[check.rule].page,
            )
            for check in result.checks
            if check.finding is not None and check.rule in RULES and check.place
        ]
    )


def junit(result: GradeResult) -> str:
    """The record as JUnit XML: one case per check, its objective as the class name."""
    suite = ElementTree.Element(
        "testsuite",
        name=f"headwater.{result.lesson}",
        tests=str(len(result.checks)),
        failures=str(result.count("failed")),
        skipped=str(result.count("skipped")),
        errors="0",
        time=f"{result.seconds:.3f}",
    )
    _add_properties(suite, result)
    for check in result.checks:
        _add_case(suite, check)
    text = ElementTree.tostring(suite, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _add_properties(suite: ElementTree.Element, result: GradeResult) -> None:
    properties = ElementTree.SubElement(suite, "properties")
    facts = {"seed": result.seed, "jail": result.jail, "trust": result.trust}
    for name, value in {**facts, "sources": result.sources}.items():
        ElementTree.SubElement(properties, "property", name=name, value=str(value))


def _add_case(suite: ElementTree.Element, check: CheckResult) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=check.objective, name=check.title, time=f"{check.seconds:.3f}"
    )
    if check.outcome == "failed" and check.finding is not None:
        message = f"[{check.finding.code}] {check.finding.what}"
        failure = ElementTree.SubElement(case, "failure", message=_xml_text(message))
        failure.text = _xml_text(str(check).partition("\n")[2])
    elif check.outcome == "skipped":
        ElementTree.SubElement(case, "skipped", message=_xml_text(check.reason))


def _xml_text(text: str) -> str:
    """The text without the characters XML cannot hold."""
    return "".join(c for c in text if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff"))


FORMS: Final[dict[str, Callable[[GradeResult], str]]] = {
    "exercism": lambda result: _json(exercism(result)),
    "gradescope": lambda result: _json(gradescope(result)),
    "junit": junit,
    "csv": as_csv,
    "sarif": lambda result: _json(sarif(result)),
}
"""Each form's name, and the record in it as the text of a file."""


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2) + "\n"
