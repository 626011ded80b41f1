"""A learner in tutor mode: a fixed script of turns, said to `claude -p` in one conversation."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from evals import claude
from evals.arms import ARMS, dress, options
from evals.claude import Budget
from evals.leaks import Score, score
from evals.runs import Judge, judged, now
from evals.tasks import base_project, begin
from evals.transcripts import Transcript, Turn
from headwater_workshop.lessons import Lesson
from headwater_workshop.progress import record_grade, timestamp

SCRIPT = Path(__file__).parent / "turns.toml"


@dataclass
class TutorResults:
    """What came of conversations in tutor mode on one day."""

    date: str
    headwater: str
    claude: str
    model: str = ""
    budget: dict[str, float] = field(default_factory=dict)
    scores: list[Score] = field(default_factory=list)
    transcripts: list[dict[str, Any]] = field(default_factory=list)


def script(path: Path = SCRIPT) -> list[dict[str, Any]]:
    """The turns that a learner says, with what they tried before."""
    turns: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["turn"]
    return turns


def run_tutor(
    lessons: Sequence[Lesson],
    budget: Budget,
    *,
    command: str = "claude",
    model: str = "",
    judge: Judge = judged,
    make_base: Callable[[Path], Path] = base_project,
    tell: Callable[[str], None] = lambda text: None,
) -> TutorResults:
    """Play the script for each lesson, and score what was said.

    Args:
        lessons: one conversation each.
        budget: of one turn; its dollars are for the conversation.
        command: the program.
        model: which one it shall use; its own choice if empty.
        judge: grades a project.
        make_base: makes the project that is copied for each lesson.
        tell: is called before each turn with what is said.

    Raises:
        Skipped: there is no command, or nobody is signed in.
    """
    path = claude.find_claude(command)
    results = TutorResults(now(), installed("headwater"), claude.version(path))
    results.budget = asdict(budget)
    with tempfile.TemporaryDirectory(prefix="headwater-evals-") as folder:
        base = make_base(Path(folder) / "base")
        for lesson in lessons:
            project = begin(base, Path(folder) / lesson.name, lesson, "tutor")
            dress(project, ARMS["mcp"])
            told = _converse(project, lesson, budget, path, model, judge, tell)
            results.transcripts.append(told.to_json())
            results.scores.append(score(told, lesson, judge))
            results.model = results.model or told.model
    return results


def _converse(
    project: Path,
    lesson: Lesson,
    budget: Budget,
    command: str,
    model: str,
    judge: Judge,
    tell: Callable[[str], None],
) -> Transcript:
    told = Transcript(lesson.name, [], str(project))
    words = [*options(ARMS["mcp"]), *(["--model", model] if model else [])]
    session = ""
    for said in script():
        tell(said["say"])
        turn = Turn(said["say"], files=_attempt(project, lesson, said, judge))
        reply = claude.ask(
            turn.learner, project, budget, command=command, options=words, session=session
        )
        turn.reply, turn.tools = reply.text, reply.tools
        session, told.model = reply.session, reply.model
        told.turns.append(turn)
        if reply.outcome == "dollars":
            break  # the money is for the conversation
    return told


def _attempt(project: Path, lesson: Lesson, said: dict[str, Any], judge: Judge) -> dict[str, str]:
    """Lays what the learner tried, and grades it as they would; the files that changed."""
    if "attempt" not in said:
        return {}
    name = lesson.wrong[said["attempt"] % len(lesson.wrong)]
    files = {path: text.decode() for path, text in lesson.overlay(f"wrong/{name}").items()}
    for path, text in files.items():
        (project / path).write_text(text, encoding="utf-8")
    result = judge(project, lesson)
    met = {each.id: each.met for each in result.objectives}
    record_grade(project, lesson, met, timestamp())
    return files
