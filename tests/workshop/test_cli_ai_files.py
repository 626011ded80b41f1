"""`headwater ai-files` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headwater_workshop.ai_files import block
from headwater_workshop.cli.ai_files import app

RUNNER = CliRunner()


@pytest.fixture
def agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The AGENTS.md of a project one stands in; not there yet."""
    (tmp_path / "backend").mkdir()
    (tmp_path / ".copier-answers.yml").write_text("assistant_mode: tutor\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "AGENTS.md"


def test_update_writes_the_blocks_and_status_says_so(agents: Path) -> None:
    """From missing to up to date; a second update finds nothing to do."""
    before = RUNNER.invoke(app, ["status", "--check"])
    assert (before.exit_code, before.output.count("missing")) == (1, 2)
    agents.write_text("# Ours\n")
    assert RUNNER.invoke(app, ["update"]).exit_code == 0
    assert agents.read_text() == f"# Ours\n\n{block('rules')}\n\n{block('tutor')}\n"
    after = RUNNER.invoke(app, ["status", "--check"])
    assert (after.exit_code, after.output.count("up to date")) == (0, 2)
    assert "nothing to do" in RUNNER.invoke(app, ["update"]).output


@pytest.mark.parametrize("command", ["update", "remove"])
def test_check_tells_and_writes_nothing(agents: Path, command: str) -> None:
    """Exit code 1 where the command would write, for a pipeline."""
    text = f"# Ours\n\n{block('pair')}\n"
    agents.write_text(text)
    told = RUNNER.invoke(app, [command, "--check"])
    assert told.exit_code == 1
    assert "would be written" in told.output
    assert agents.read_text() == text


def test_a_block_changed_by_hand_is_told(agents: Path) -> None:
    """Exit code 1, with what to do; --force writes over it."""
    RUNNER.invoke(app, ["update"])
    agents.write_text(agents.read_text().replace("HW101", "HW999"))
    told = RUNNER.invoke(app, ["update"])
    assert told.exit_code == 1
    assert "--force" in told.stderr
    assert "HW999" in agents.read_text()
    assert RUNNER.invoke(app, ["update", "--force"]).exit_code == 0
    assert "HW999" not in agents.read_text()


def test_line_ends_stay_as_they_are(agents: Path) -> None:
    """A file that Windows wrote differs only where it was written anew."""
    agents.write_bytes(b"# Ours\r\n")
    assert RUNNER.invoke(app, ["update"]).exit_code == 0
    assert agents.read_bytes().count(b"\n") == agents.read_bytes().count(b"\r\n") > 10
    assert RUNNER.invoke(app, ["remove"]).exit_code == 0
    assert agents.read_bytes() == b"# Ours\r\n"


def test_json_is_for_programs(agents: Path) -> None:
    """The file, the mode and each block's state."""
    assert not agents.exists()
    told = json.loads(RUNNER.invoke(app, ["status", "--json"]).output)
    assert told == {
        "file": "AGENTS.md",
        "mode": "tutor",
        "blocks": {"rules": "missing", "mode": "missing"},
        "files": {},
    }


def test_outside_of_a_project_it_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, and what, where and how on standard error."""
    monkeypatch.chdir(tmp_path)
    told = RUNNER.invoke(app, ["status"])
    assert told.exit_code == 2
    assert "headwater new my-app" in told.stderr
