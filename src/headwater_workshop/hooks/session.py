"""SessionStart and UserPromptSubmit: where the project and the learner are, as facts."""

from __future__ import annotations

import os
from pathlib import Path

from headwater.check import check_project
from headwater.deployment import running_server

from ..mode import mode_of
from ..tutor import current_lesson, lesson_facts, turn_line
from .own import lesson_in_hand
from .payload import Call, Payload, context
from .records import AI_FILES, Record, mark, save


def started(call: Call) -> Payload:
    """Mode, lesson, server and findings: what an assistant would have to ask for."""
    root = call.root
    if not (root / "backend").is_dir():
        return context("SessionStart", f"{root} has no backend/: no project of headwater is here.")
    save(root, call.session, Record(mark(root)))
    _note_files(root)
    facts = [f"A project of headwater; mode {mode_of(root)}.", _lesson(root), _server(root)]
    facts += [_findings(root), _notes(root)]
    return context("SessionStart", "\n".join(fact for fact in facts if fact))


def prompted(call: Call) -> Payload:
    """In tutor mode, one line with the lesson, the hints and the failed runs; else nothing."""
    if current_lesson(call.root) is None:
        return {}
    return context("UserPromptSubmit", turn_line(call.root))


def _note_files(root: Path) -> None:
    """In the first session, note how the assistants' files are: later a change by hand is known."""
    if not (root / AI_FILES).is_file():
        from ..managed import record  # renders the template: a tenth of a second, once

        record(root)


def _lesson(root: Path) -> str:
    in_hand = lesson_in_hand(root)
    if in_hand is None:
        return "No lesson is in hand; `uv run headwater lesson list` shows them."
    lesson, record = in_hand
    met = sum(record.objectives.get(each.id, False) for each in lesson.objectives)
    goals = f"{met} of {len(lesson.objectives)} objectives met"
    return f"In hand: {'; '.join([*lesson_facts(root), lesson.name])}, {goals}."


def _server(root: Path) -> str:
    told = running_server(root)
    if "url" not in told:
        return "Its server is not running; `uv run headwater dev` starts it."
    if not _runs(told.get("pid")):
        return "Its server was ended; `uv run headwater dev` starts it."
    return f"Its server said that it answers at {told['url']}."


def _runs(process: object) -> bool:
    """Whether a process is there; True where that cannot be asked without harm."""
    if not isinstance(process, int) or os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return True


def _findings(root: Path) -> str:
    found = check_project(root)
    if not found:
        return "headwater check: no findings."
    files = sorted({each.path for each in found})
    return f"headwater check: {len(found)} findings, in {', '.join(files[:5])}."


def _notes(root: Path) -> str:
    if not (root / "backend" / "working_notes.py").is_file():
        return ""
    command = "uv run headwater run working_notes:recent"
    return f"Working notes of earlier sessions: `{command}`, skill memory."
