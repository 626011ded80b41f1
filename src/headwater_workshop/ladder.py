"""The ladder of hints, L0 to L5: the tool keeps the level, not the assistant.

Pair mode: each call gives the next rung. Tutor mode: the next rung after a new try, which is a
failed run of the grader when the learner's part has changed, or after a while; until then the same
rung again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from .lessons import Lesson
from .mode import mode_of
from .progress import LessonProgress, load_progress, save_progress, timestamp

HINT_WAIT_S = 300
"""Until the next hint without a new try in tutor mode; long enough to try, too short to give up."""

_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Hint:
    """One rung of an objective's ladder.

    Attributes:
        lesson: its name.
        objective: its id.
        level: of the rung, 0 first.
        last: the level of the last rung.
        text: as it was authored.
        again: whether it was given before, because the next one is not free yet.
        next: when the next one is; empty after the last.
    """

    lesson: str
    objective: str
    level: int
    last: int
    text: str
    again: bool
    next: str


def next_hint(project: Path, lesson: Lesson, objective: str, at: str | None = None) -> Hint:
    """The next rung of an objective's ladder if it is free, else the last given; recorded.

    Args:
        project: the learner's project.
        lesson: which one.
        objective: the id of one of its objectives.
        at: the time; now, if left out.
    """
    at = at or timestamp()
    progress = load_progress(project)
    record, rungs = progress.of(lesson), lesson.hints[objective]
    last, given = len(rungs) - 1, record.hints.get(objective, 0)
    free = _is_free(record, objective, at) or mode_of(project) != "tutor"
    level = min(given, last) if free or not given else given - 1
    again = level < given
    if not again:
        record.hints[objective] = level + 1
        record.hint_at[objective], record.hint_attempts[objective] = at, record.attempts
        save_progress(project, progress)
    told = _next(record, objective, mode_of(project), at) if level < last else ""
    return Hint(lesson.name, objective, level, last, rungs[level], again, told)


def _is_free(record: LessonProgress, objective: str, at: str) -> bool:
    since = record.hint_at.get(objective)
    if since is None or record.attempts > record.hint_attempts.get(objective, 0):
        return True
    return at >= _later(since)


def _next(record: LessonProgress, objective: str, mode: str, at: str) -> str:
    if mode != "tutor":
        return "when you ask for it"
    left = datetime.strptime(_later(record.hint_at[objective]), _TIME) - datetime.strptime(
        at, _TIME
    )
    minutes = max(1, -(-int(left.total_seconds()) // 60))
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    return f"after a failed `headwater grade` of changed code, or in {wait}"


def _later(at: str) -> str:
    return (datetime.strptime(at, _TIME) + timedelta(seconds=HINT_WAIT_S)).strftime(_TIME)
