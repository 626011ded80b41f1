"""SessionStart and UserPromptSubmit: facts, and only those."""

from __future__ import annotations

import json
import os
from pathlib import Path

from headwater_workshop.lessons import find_lesson
from headwater_workshop.managed import RECORD, file_states, update_files
from headwater_workshop.progress import record_grade
from tests.workshop.hooks.payloads import AT, BAD, asked, make, recorded


def facts(project: Path, event: str = "SessionStart") -> str:
    """What the assistant is told."""
    word = {"SessionStart": "session-start", "UserPromptSubmit": "user-prompt-submit"}[event]
    output = asked(word, recorded(project, event)).get("hookSpecificOutput")
    assert output is None or output["hookEventName"] == event
    return str(output["additionalContext"]) if output else ""


def test_a_session_begins_with_where_things_are(tmp_path: Path) -> None:
    """Mode, lesson, server, findings, notes."""
    project = make(tmp_path, mode="tutor", lesson="2")
    (project / "backend" / "clocks.py").write_text(BAD)
    said = facts(project)
    assert said.count("mode tutor") == 1
    assert "lesson 02; no hint yet; 0 failed attempts; 02-indexes-or-scans, 0 of 3" in said
    assert "server is not running" in said
    assert "in backend/clocks.py" in said
    assert "working_notes:recent" in said


def test_the_first_session_notes_the_assistants_files(tmp_path: Path) -> None:
    """As they were written: a file that differs later was changed by hand, or is old."""
    project = make(tmp_path)
    (project / "CLAUDE.md").touch()
    facts(project)
    assert json.loads((project / RECORD).read_text()) == {}
    (project / RECORD).unlink()
    update_files(project)
    (project / RECORD).unlink()
    facts(project)
    assert set(json.loads((project / RECORD).read_text())) == set(file_states(project))


def test_a_folder_that_is_no_project_is_said_to_be_none(tmp_path: Path) -> None:
    """The session goes on all the same."""
    assert "no project of headwater" in facts(tmp_path)


def test_in_tutor_mode_each_turn_knows_the_ladder(tmp_path: Path) -> None:
    """One line that survives a compaction: lesson, hints, failed runs."""
    project = make(tmp_path, mode="tutor", lesson="1")
    lesson = find_lesson("1")
    (project / "backend" / "tasks.py").write_text("def create_task(): ...\n")
    record_grade(project, lesson, {}, AT)
    said = facts(project, "UserPromptSubmit")
    assert said == "mode tutor; lesson 01; no hint yet; 1 failed attempt"


def test_otherwise_a_turn_costs_no_words(tmp_path: Path) -> None:
    """Neither in pair mode nor without a lesson."""
    assert facts(make(tmp_path / "a", lesson="1"), "UserPromptSubmit") == ""
    assert facts(make(tmp_path / "b", mode="tutor"), "UserPromptSubmit") == ""


def test_a_server_that_was_ended_is_not_said_to_answer(tmp_path: Path) -> None:
    """Its file stays when it was killed; its process does not."""
    project = make(tmp_path)
    (project / ".headwater").mkdir()
    told = project / ".headwater" / "server.json"
    for process, said in ((os.getpid(), "answers at http://x"), (2**22 + 1, "server was ended")):
        told.write_text(json.dumps({"url": "http://x", "pid": process}))
        assert said in facts(project)
