"""Where a learner is: `.headwater/progress.json` in their project, and nothing anywhere else.

A lesson's record goes through: None -> started (`start`, `goto`) -> runs counted, objectives set
(`record_grade`) -> done (every objective true, for good). Who starts a done lesson is in it again,
until every objective is met again; that it was done stays. Hints only go up; a seen solution stays
seen.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .kit import KitError, write_whole
from .lessons import Lesson
from .own.regions import own_part

if TYPE_CHECKING:
    from headwater.clock import Clock

_VERSION = 1


@dataclass
class LessonProgress:
    """What happened in one lesson so far.

    Attributes:
        again: when it was begun anew after it was done; None once it is done anew.
        attempts: failed runs with a learner's part that differed from the run before: tries.
        sources: the fingerprint of the part that was graded last.
        hints: how many rungs of each objective's ladder were given.
        hint_at: when the last one was, by objective, and `hint_attempts` after how many tries.
    """

    started: str | None = None
    again: str | None = None
    runs: int = 0
    failed_runs: int = 0
    attempts: int = 0
    sources: str = ""
    done: str | None = None
    solution_seen: str | None = None
    objectives: dict[str, bool] = field(default_factory=dict)
    hints: dict[str, int] = field(default_factory=dict)
    hint_at: dict[str, str] = field(default_factory=dict)
    hint_attempts: dict[str, int] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether it is done, and was not begun anew since: nothing in it is left to do."""
        return self.done is not None and self.again is None

    @property
    def state(self) -> str:
        """`done`, `seen` when its solution was shown before that, `begun` or `open`."""
        if self.solution_seen and not (self.done and self.done < self.solution_seen):
            return "seen"
        return "done" if self.done else "begun" if self.started else "open"


@dataclass
class Progress:
    """A learner's way through the lessons; `current` is a lesson's name."""

    current: str | None = None
    lessons: dict[str, LessonProgress] = field(default_factory=dict)

    def of(self, lesson: Lesson) -> LessonProgress:
        """The record of one lesson, made when it is first needed."""
        return self.lessons.setdefault(lesson.name, LessonProgress())


def timestamp(clock: Clock | None = None) -> str:
    """The time now, to the second, as text that sorts by age."""
    from headwater.clock import Clock  # edit hooks read progress and have no time for a runtime

    seconds = (clock or Clock()).now_ns() // 1_000_000_000
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def find_project(start: Path | None = None) -> Path:
    """The project a command is called in: this folder or one above that holds `backend/`."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "backend").is_dir():
            return folder
    raise KitError(
        "This is not a Headwater project: there is no backend/ folder here or above.",
        where=str(start),
        fix="go into your project (cd my-app), or make one: headwater new my-app",
    )


def progress_file(project: Path) -> Path:
    """Where a project keeps its progress."""
    return project / ".headwater" / "progress.json"


def load_progress(project: Path) -> Progress:
    """The progress kept in a project; nothing done yet when there is no file."""
    path = progress_file(project)
    if not path.is_file():
        return Progress()
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        lessons = {name: LessonProgress(**record) for name, record in data["lessons"].items()}
        return Progress(current=data["current"], lessons=lessons)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KitError(
            f"The progress file cannot be read: {error}.",
            where=str(path),
            fix="mend it, or move it away and begin with an empty one; your code is not in it",
        ) from error


def save_progress(project: Path, progress: Progress) -> None:
    """Keep the progress: a reader finds the old file or the new one, never half of one."""
    data = {"version": _VERSION, **asdict(progress)}
    write_whole(progress_file(project), json.dumps(data, indent=2) + "\n")


def record_start(project: Path, lesson: Lesson, at: str) -> None:
    """The learner is in this lesson now, though it was done before.

    A run of what it begins with will be no try, and its objectives are open again.
    """
    progress = load_progress(project)
    progress.current = lesson.name
    record = progress.of(lesson)
    record.sources = own_part(project, lesson)
    record.started = record.started or at
    record.again = at if record.done else None
    record.objectives = {}
    save_progress(project, progress)


def record_grade(project: Path, lesson: Lesson, passed: dict[str, bool], at: str) -> None:
    """What the grader found: each objective by its id; all true makes the lesson done.

    A failed run is a try when the learner's part is other than at the run before.
    """
    progress = load_progress(project)
    record = progress.of(lesson)
    every = all(passed.get(objective.id, False) for objective in lesson.objectives)
    record.runs += 1
    record.failed_runs += not every
    part = own_part(project, lesson)
    record.attempts += not every and part != record.sources
    record.sources = part
    record.objectives = dict(passed)
    if every:
        record.done, record.again = record.done or at, None
    save_progress(project, progress)


def record_solution_seen(project: Path, lesson: Lesson, at: str) -> None:
    """The learner looked at the solution: seen is not solved."""
    progress = load_progress(project)
    record = progress.of(lesson)
    record.solution_seen = record.solution_seen or at
    save_progress(project, progress)
