"""PostToolUse: the findings of the edited file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workshop.hooks.payloads import BAD, asked, make, tool


def told(project: Path, name: str) -> str:
    """What the hook says after an edit of that file; empty when it says nothing."""
    answer = asked("post-tool-use", tool(project, "Edit", "PostToolUse", file_path=name))
    output = answer.get("hookSpecificOutput", {"hookEventName": "PostToolUse"})
    assert output["hookEventName"] == "PostToolUse"
    return str(output.get("additionalContext", ""))


def test_a_finding_has_file_line_reason_and_repair(tmp_path: Path) -> None:
    """As `headwater check` words it; the edit itself stands."""
    project = make(tmp_path)
    (project / "backend" / "clocks.py").write_text(BAD)
    said = told(project, f"{project}/backend/clocks.py")
    assert said.startswith("headwater check: 1 finding in backend/clocks.py")
    assert "HW201 backend/clocks.py:10:12" in said
    assert "  What: " in said
    assert "  Fix:  " in said


def test_a_clean_file_is_met_with_silence(tmp_path: Path) -> None:
    """Neither for a good file, nor for findings that other files have, nor for a page."""
    project = make(tmp_path)
    (project / "backend" / "clocks.py").write_text(BAD)
    assert told(project, f"{project}/backend/tasks.py") == ""
    assert told(project, f"{project}/README.md") == ""
    assert told(tmp_path, f"{tmp_path}/elsewhere.py") == ""


def test_an_edit_of_the_tables_is_told_for_every_file(tmp_path: Path) -> None:
    """An index that is called otherwise breaks the functions that read by it."""
    project = make(tmp_path)
    schema = project / "backend" / "schema.py"
    schema.write_text(schema.read_text().replace("by_assignee", "by_person"))
    said = told(project, f"{project}/backend/schema.py")
    assert "HW401 backend/tasks.py" in said
    assert 'Task has no index "by_assignee"' in said


def test_an_import_that_an_edit_breaks_is_told(tmp_path: Path) -> None:
    """In the file that imports, for nobody edits that one next."""
    project = make(tmp_path)
    (project / "backend" / "words.py").write_text("shown = 1\n")
    (project / "backend" / "pages.py").write_text("from backend.words import show\n")
    said = told(project, "backend/words.py")
    assert said.startswith("headwater check: 1 finding in backend/pages.py")
    assert "backend/words.py has no show" in said


def test_in_tutor_mode_no_repair_is_written_out(tmp_path: Path) -> None:
    """In the lesson's own files the rule's general words stand in its place."""
    for mode in ("pair", "tutor"):
        project = make(tmp_path / mode, mode=mode, lesson="2")
        said = told(project, "backend/tasks.py")
        assert "HW401 backend/tasks.py" in said
        assert ("Index(" in said) is (mode == "pair")


def test_ten_findings_are_enough(tmp_path: Path) -> None:
    """The rest is counted, with the command that shows them."""
    project = make(tmp_path)
    function = BAD.partition("@query\n")[2]
    many = "\n\n@query\n".join(function.replace("now(", f"now{n}(") for n in range(12))
    (project / "backend" / "clocks.py").write_text(BAD.partition("@query\n")[0] + "@query\n" + many)
    said = told(project, "backend/clocks.py")
    assert said.count("HW201 backend/") == 10
    assert "2 more: uv run headwater check backend/clocks.py" in said


def test_code_in_the_wrong_folder_is_found(tmp_path: Path) -> None:
    """A file that the runtime never loads is about the rule that says where it belongs."""
    project = make(tmp_path)
    (project / "src" / "api").mkdir(parents=True)
    (project / "src" / "api" / "clocks.py").write_text(BAD)
    assert "HW102 src/api/clocks.py" in told(project, "src/api/clocks.py")


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff", b'{"tool_input": 3}'])
def test_a_strange_payload_stops_nobody(payload: bytes) -> None:
    """It is answered with nothing, or with what was wrong as a message."""
    from headwater_workshop.hooks import EVENTS, answer

    for event in ("pre-tool-use", "post-tool-use"):
        assert event in EVENTS
        assert set(answer(event, payload)) <= {"systemMessage"}
