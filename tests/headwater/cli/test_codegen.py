"""`headwater codegen`: writes, checks, and says what it did."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from headwater.cli import app
from tests.headwater.projects import TASKS, write_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as the current folder."""
    monkeypatch.chdir(write_project(tmp_path, tasks=TASKS))
    return tmp_path


def run(*options: str) -> Result:
    """The command with these options."""
    return CliRunner().invoke(app, ["codegen", *options])


def test_types_are_written_and_named(project: Path) -> None:
    """Into the frontend; a second time there is nothing to do."""
    assert run().stdout == "frontend/_generated: api.js, api.d.ts, dataModel.d.ts\n"
    assert "titles: FunctionReference" in (project / "frontend/_generated/api.d.ts").read_text()
    assert run().stdout == "frontend/_generated: nothing to change\n"


def test_a_folder_may_be_given(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to where the command is typed."""
    monkeypatch.chdir(project / "backend")
    assert run("--out", "../web/types").exit_code == 0
    assert (project / "web/types/api.js").is_file()


def test_check_writes_nothing(project: Path) -> None:
    """Exit code 1 and the names while something is out of date, 0 when nothing is."""
    first = run("--check")
    assert first.exit_code == 1
    assert "out of date: api.js, api.d.ts, dataModel.d.ts. Run: headwater codegen" in first.stderr
    assert not (project / "frontend").exists()
    run()
    assert run("--check").exit_code == 0
    write_project(project, more="")
    assert run("--check").exit_code == 0
    write_project(project, tasks=TASKS.replace("copies: int = 1", "copies: str = '1'"))
    second = run("--check")
    assert (second.exit_code, "out of date: api.d.ts." in second.stderr) == (1, True)


def test_trouble_is_a_sentence(project: Path) -> None:
    """A backend that does not load, a file of one's own: exit code 1, no trace."""
    (project / "web").mkdir()
    (project / "web/api.d.ts").write_text("export type Mine = 1;")
    refused = run("--out", "web")
    assert (refused.exit_code, "was not generated" in refused.stderr) == (1, True)
    write_project(project, broken="import nothing_at_all")
    broken = run()
    assert broken.exit_code == 1
    assert broken.stderr.startswith("headwater codegen: backend/broken.py:1: No module named")


def test_outside_of_a_project_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, and what to do."""
    monkeypatch.chdir(tmp_path)
    assert run().exit_code == 2
