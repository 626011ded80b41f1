"""Tasks in arms: a project, a call with a budget, a grade; and the dated file of results."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from evals import claude
from evals.arms import ARMS, dress, options
from evals.claude import Budget, Outcome
from evals.tasks import base_project, begin, prompt
from headwater.check import check_project
from headwater_workshop.grader.grader import grade
from headwater_workshop.lessons import Lesson
from headwater_workshop.report import GradeResult

RESULTS = Path(__file__).parent / "results"
SEED = 20_251
_TIME = "%Y-%m-%dT%H:%M:%SZ"

Judge = Callable[[Path, Lesson], GradeResult]


@dataclass(frozen=True)
class Run:
    """One task in one arm, once.

    Attributes:
        outcome: how the call ended.
        passed: whether the grader is content.
        objectives: which of the lesson's are met.
        observed: codes of what the grader saw instead.
        rules: rules that the checker finds broken, each as often as it is.
    """

    task: str
    arm: str
    number: int
    outcome: Outcome
    passed: bool
    objectives: dict[str, bool]
    observed: list[str]
    rules: list[str]
    turns: int
    dollars: float
    seconds: float


@dataclass
class Results:
    """What was run on one day with one command and one model."""

    date: str
    headwater: str
    claude: str
    model: str = ""
    budget: dict[str, float] = field(default_factory=dict)
    total_dollars: float | None = None
    complete: bool = True
    runs: list[Run] = field(default_factory=list)


def judged(project: Path, lesson: Lesson) -> GradeResult:
    """The grader, with inputs that are the same each time."""
    return grade(project, lesson, seed=SEED)


def run_all(
    lessons: Sequence[Lesson],
    arms: Iterable[str],
    budget: Budget,
    *,
    repeats: int = 1,
    total_dollars: float | None = None,
    command: str = "claude",
    model: str = "",
    judge: Judge = judged,
    make_base: Callable[[Path], Path] = base_project,
    tell: Callable[[Run], None] = lambda run: None,
) -> Results:
    """Run every task in every arm; stops when the money for all of it is used up.

    Args:
        lessons: the tasks.
        arms: names of ARMS.
        budget: of one call.
        repeats: how often each.
        total_dollars: for all calls together.
        command: the program.
        model: which one it shall use; its own choice if empty.
        judge: grades a project.
        make_base: makes the project that is copied for each run.
        tell: is called after each run.

    Raises:
        Skipped: there is no command, or nobody is signed in.
    """
    path = claude.find_claude(command)
    results = Results(now(), installed("headwater"), claude.version(path), budget=asdict(budget))
    results.total_dollars = total_dollars
    arms = list(arms)
    with tempfile.TemporaryDirectory(prefix="headwater-evals-") as folder:
        base = make_base(Path(folder) / "base")
        every = [(each, arm, n) for n in range(repeats) for each in lessons for arm in arms]
        for lesson, arm, number in every:
            spent = sum(run.dollars for run in results.runs)
            if total_dollars is not None and spent >= total_dollars:
                results.complete = False
                break
            project = begin(base, Path(folder) / "my-app", lesson)
            run, used = _run(project, lesson, arm, number, budget, path, model, judge)
            results.runs.append(run)
            results.model = results.model or used
            shutil.rmtree(project)
            tell(run)
    return results


def _run(
    project: Path,
    lesson: Lesson,
    arm: str,
    number: int,
    budget: Budget,
    command: str,
    model: str,
    judge: Judge,
) -> tuple[Run, str]:
    dress(project, ARMS[arm])
    words = [*options(ARMS[arm]), *(["--model", model] if model else [])]
    reply = claude.ask(prompt(lesson), project, budget, command=command, options=words)
    result = judge(project, lesson)
    run = Run(
        task=lesson.name,
        arm=arm,
        number=number,
        outcome=reply.outcome,
        passed=result.passed,
        objectives={each.id: each.met for each in result.objectives},
        observed=sorted({each.finding.code for each in result.checks if each.finding}),
        rules=sorted(str(finding.to_json()["code"]) for finding in check_project(project)),
        turns=reply.turns,
        dollars=round(reply.dollars, 4),
        seconds=reply.seconds,
    )
    return run, reply.model


def now() -> str:
    """The time of a run, to the second."""
    return datetime.now(UTC).strftime(_TIME)


def save(kind: str, data: Any, folder: Path = RESULTS) -> Path:
    """Write results as `DATE-KIND.json`, beside those of the same day and not over them."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{data.date[:10]}-{kind}"
    path, number = folder / f"{stem}.json", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.json"
    path.write_text(json.dumps({"version": 1, **asdict(data)}, indent=2) + "\n", encoding="utf-8")
    return path
