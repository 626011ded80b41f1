"""Which file of the project a payload is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater_workshop.hooks.payload import AT_MOST, Call, context
from tests.workshop.hooks.payloads import make, tool

WINDOWS = "C:\\Users\\Ana Maria\\my app"


@pytest.mark.parametrize(
    "path",
    ["{project}/backend/tasks.py", "backend/tasks.py", "{project}/tests/../backend/tasks.py"],
)
def test_a_file_has_its_name_from_the_root(tmp_path: Path, path: str) -> None:
    """Absolute or not, with a space in the folder or a detour."""
    project = make(tmp_path)
    call = Call(tool(project, "Edit", file_path=path.format(project=project)))
    assert call.root == project
    assert call.edited == ["backend/tasks.py"]


def test_a_session_in_a_folder_below_finds_the_root(tmp_path: Path) -> None:
    """The assistant may have changed its folder; relative names begin there."""
    project = make(tmp_path)
    call = Call(tool(project / "backend", "Edit", file_path="tasks.py"))
    assert (call.root, call.edited) == (project, ["backend/tasks.py"])


def test_a_link_has_both_names(tmp_path: Path) -> None:
    """What a link leads to counts as edited, as much as the link."""
    project = make(tmp_path)
    (project / ".headwater").mkdir()
    (project / "notes").symlink_to(project / ".headwater")
    assert Call(tool(project, "Write", file_path=f"{project}/notes/x")).edited == [
        "notes/x",
        ".headwater/x",
    ]


def test_a_file_elsewhere_has_no_name(tmp_path: Path) -> None:
    """Outside of the project nothing is judged; a folder that begins alike is outside."""
    project = make(tmp_path)
    call = Call(tool(project, "Edit", file_path=f"{project}2/backend/tasks.py"))
    assert call.edited == []


@pytest.mark.parametrize("cwd", [WINDOWS, f"{WINDOWS}\\backend"])
def test_windows_separators_are_read(cwd: str) -> None:
    """A payload of Windows is understood, whatever system reads it."""
    call = Call(tool(cwd, "Edit", file_path=f"{WINDOWS}\\backend\\_generated\\api.ts"))
    assert call.edited in (["backend/_generated/api.ts"], ["_generated/api.ts"])


def test_the_environment_names_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claude Code says where the project is, however far the session has gone from it."""
    project = make(tmp_path)
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(project))
    assert Call(tool(tmp_path, "Edit", file_path="x")).root == project


def test_a_long_text_is_cut() -> None:
    """Claude Code shows 10,000 characters whole; what is longer would become a file."""
    said = context("PostToolUse", "x" * 20_000)["hookSpecificOutput"]["additionalContext"]
    assert len(said) == AT_MOST + len("\n(cut)")
