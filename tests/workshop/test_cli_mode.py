"""`headwater mode` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from headwater_workshop.ai_files import updated
from headwater_workshop.cli.mode import mode

APP = typer.Typer()
APP.command("mode")(mode)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project for Claude Code, in pair mode."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "CLAUDE.md").write_text("@AGENTS.md\n")
    (tmp_path / "AGENTS.md").write_text(updated("# Mine\n", "pair"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_mode_is_chosen_and_told(project: Path) -> None:
    """AGENTS.md says it to every assistant; for Claude Code, that a new session reads its style."""
    chosen = CliRunner().invoke(APP, ["tutor"])
    assert (chosen.exit_code, "/clear" in chosen.output) == (0, True)
    assert CliRunner().invoke(APP, []).output == "tutor\n"
    text = (project / "AGENTS.md").read_text()
    assert text.startswith("# Mine\n")
    assert "## Lessons: tutor mode" in text
    assert "## Lessons: pair mode" not in text


def test_what_is_no_mode_is_refused(project: Path) -> None:
    """As an option of the command, and in the file."""
    assert CliRunner().invoke(APP, ["solo"]).exit_code == 2
    (project / ".headwater").mkdir()
    (project / ".headwater" / "mode").write_text("solo")
    refused = CliRunner().invoke(APP, [])
    assert (refused.exit_code, "headwater mode pair" in refused.output) == (2, True)
