"""What the grader found: one record; grader/exports.py gives it in the forms of other programs.

A finding has one form everywhere: what was seen, with numbers; what to do next; where to read on.
Expected values and hidden inputs are in no finding.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from rich.console import Console
from rich.markup import escape
from rich.text import Text

Outcome = Literal["passed", "failed", "skipped"]

_SAID_CHARS: Final = 2_000  # a learner's program may raise an error of megabytes
_COLOURS: dict[Outcome, str] = {"passed": "green", "failed": "red", "skipped": "yellow"}
_MARKS: dict[Outcome, str] = {"passed": "pass", "failed": "FAIL", "skipped": "skip"}


def visible(text: str, most: int) -> str:
    """So much of a stranger's text, without control characters: it does not steer the terminal."""
    shown = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text[:most])
    return shown if len(text) <= most else f"{shown}..."


@dataclass(frozen=True)
class Finding:
    """Why a check failed.

    Attributes:
        code: the observation's name, such as `V001`, or the objective's where it has none.
        what: what was seen, with numbers; in bounds, and without control characters.
        fix: one next step.
        more: a command that explains it.
    """

    code: str
    what: str
    fix: str
    more: str

    def __post_init__(self) -> None:
        for name in ("what", "fix"):
            object.__setattr__(self, name, visible(getattr(self, name), _SAID_CHARS))

    def __str__(self) -> str:
        return f"[{self.code}] {self.what}\n  Fix:  {self.fix}\n  More: {self.more}"


@dataclass(frozen=True)
class CheckResult:
    """One check: what it asked, which objective it belongs to, and how it ended.

    Attributes:
        reason: why it was skipped: the check it needs did not pass, or the process was given up.
        place: the file, and the name in it, to look at first.
        rule: the id of the rule it is about, if there is one.
    """

    name: str
    objective: str
    title: str
    outcome: Outcome
    finding: Finding | None = None
    reason: str = ""
    seconds: float = 0.0
    place: str = ""
    rule: str = ""

    @property
    def where(self) -> str:
        """Where to look, and the rule: `backend/tasks.py create_task, HW103`; may be empty."""
        return ", ".join(part for part in (self.place, self.rule) if part)

    def __str__(self) -> str:
        """What failed, as a text: the check, what it saw, what to do, where to look."""
        where = f"\n  At:   {self.where}" if self.where else ""
        return f"{self.title}\n{self.finding}{where}" if self.finding else self.title


@dataclass(frozen=True)
class ObjectiveResult:
    """One objective of the lesson, met when all its checks passed."""

    id: str
    text: str
    met: bool


@dataclass(frozen=True)
class GradeResult:
    """One grading run.

    Attributes:
        seed: what made its random inputs; the same seed makes them again.
        jail: the level the learner's process was held at.
        trust: `local`: run on the learner's own machine, which can change the grader itself.
        sources: a fingerprint of the files that were graded.
    """

    lesson: str
    title: str
    seed: int
    jail: str
    objectives: tuple[ObjectiveResult, ...]
    checks: tuple[CheckResult, ...]
    seconds: float
    sources: str
    trust: str = "local"

    @property
    def passed(self) -> bool:
        """Every check passed; a skipped one has not."""
        return bool(self.checks) and all(check.outcome == "passed" for check in self.checks)

    def count(self, outcome: Outcome) -> int:
        """How many checks ended so."""
        return sum(check.outcome == outcome for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """The whole record as plain data."""
        return {"passed": self.passed, **asdict(self)}


def show(result: GradeResult, console: Console) -> None:
    """Print the record for a person: objectives, what failed and what to do, the run's facts."""
    console.print(f"[bold]{escape(result.lesson)}: {escape(result.title)}[/bold]\n")
    for objective in result.objectives:
        _show_objective(objective, console)
        _show_checks((c for c in result.checks if c.objective == objective.id), console)
    counts = ", ".join(
        f"{result.count(outcome)} {outcome}" for outcome in _MARKS if result.count(outcome)
    )
    verdict = "[green]passed[/green]" if result.passed else "[red]not yet[/red]"
    console.print(f"\n{verdict}: {counts} in {result.seconds:.1f} s")
    console.print(f"[dim]seed {result.seed}, jail {result.jail}, trust: {result.trust}[/dim]")


def _show_objective(objective: ObjectiveResult, console: Console) -> None:
    mark = "[green]met[/green]" if objective.met else "[yellow]open[/yellow]"
    _say(console, 0, f"[bold]{objective.id}[/bold] {mark}  ", objective.text)


def _show_checks(checks: Iterable[CheckResult], console: Console) -> None:
    for check in checks:
        colour, mark = _COLOURS[check.outcome], _MARKS[check.outcome]
        reason = f" ({check.reason})" if check.reason else ""
        _say(console, 2, f"[{colour}]{mark}[/{colour}]  ", check.title + reason)
        if check.finding is not None:
            _show_finding(check.finding, check.where, console)


def _show_finding(finding: Finding, where: str, console: Console) -> None:
    _say(console, 8, f"[bold]\\[{finding.code}][/bold] ", finding.what)
    for head, text in (("At:   ", where), ("Fix:  ", finding.fix), ("More: ", finding.more)):
        if text:
            _say(console, 8, head, text)


def _say(console: Console, indent: int, head: str, text: str) -> None:
    """A line, or on a narrow console some: what follows the first stands below its text."""
    beginning = Text.from_markup(" " * indent + head)
    lines = [text]
    if not console.soft_wrap:
        room = max(console.width - len(beginning), 20)
        lines = [line for each in text.split("\n") for line in _wrapped(each, room)]
    console.print(beginning.append(f"\n{' ' * len(beginning)}".join(lines)), soft_wrap=True)


def _wrapped(text: str, room: int) -> list[str]:
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
