"""The files of `.claude/`: what headwater wrote, what is old, what somebody changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headwater_workshop.ai_files import State
from headwater_workshop.cli.ai_files import app
from headwater_workshop.managed import (
    RECORD,
    file_states,
    record,
    remove_files,
    update_files,
    wanted,
)
from headwater_workshop.mode import set_mode
from tests.template.kits import copy, make_kit

SKILL = ".claude/skills/hint/SKILL.md"
SETTINGS = ".claude/settings.json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in tutor mode with CLAUDE.md, and the files as this headwater writes them."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "CLAUDE.md").touch()
    (tmp_path / ".copier-answers.yml").write_text("assistant_mode: tutor\n")
    update_files(tmp_path)
    return tmp_path


def make_old(project: Path, name: str) -> None:
    """Let a file be what an older headwater wrote, by its record."""
    (project / name).write_text("old\n")
    known = json.loads((project / RECORD).read_text())
    known[name] = hashlib.sha256(b"old\n").hexdigest()[:8]
    (project / RECORD).write_text(json.dumps(known))


def test_what_copier_renders_is_up_to_date(tmp_path: Path) -> None:
    """The same text from Copier and from `ai-files update`, in either mode, with all its files."""
    kit = make_kit(tmp_path / "kit")
    for mode in ("pair", "tutor"):
        made = copy(kit, tmp_path / mode, assistant_mode=mode)
        states = file_states(made)
        assert set(states.values()) == {State.CURRENT}
        there = {p.relative_to(made).as_posix() for p in made.glob(".claude/**/*") if p.is_file()}
        assert there == set(states) == set(wanted(mode))
        assert json.loads((made / SETTINGS).read_text())["outputStyle"] == mode.capitalize()


def test_a_project_without_claude_has_none(tmp_path: Path) -> None:
    """Nothing is written where nobody asked for it."""
    assert file_states(tmp_path) == {}
    assert update_files(tmp_path) == []
    assert not (tmp_path / ".claude").exists()


def test_an_older_file_is_written_anew(project: Path) -> None:
    """Known by its digest; so is one that is missing."""
    make_old(project, SKILL)
    (project / SETTINGS).unlink()
    states = file_states(project)
    assert (states[SKILL], states[SETTINGS]) == (State.STALE, State.MISSING)
    assert set(update_files(project, check=True)) == {SKILL, SETTINGS}
    assert (project / SKILL).read_text() == "old\n"
    assert set(update_files(project)) == {SKILL, SETTINGS}
    assert set(file_states(project).values()) == {State.CURRENT}
    assert json.loads((project / SETTINGS).read_text())["outputStyle"] == "Tutor"


def test_a_file_changed_by_hand_is_left(project: Path) -> None:
    """Also after the record is gone; force writes over it."""
    (project / SKILL).write_text("ours\n")
    (project / RECORD).unlink()
    assert file_states(project)[SKILL] is State.EDITED
    assert update_files(project) == []
    assert (project / SKILL).read_text() == "ours\n"
    assert update_files(project, force=True) == [SKILL]
    assert file_states(project)[SKILL] is State.CURRENT


def test_line_ends_of_windows_are_no_change(project: Path) -> None:
    """git may write them into a checkout."""
    text = (project / SKILL).read_bytes()
    (project / SKILL).write_bytes(text.replace(b"\n", b"\r\n"))
    assert file_states(project)[SKILL] is State.CURRENT


def test_windows_starts_a_python_of_its_own(project: Path) -> None:
    """Settings that were made on another system are up to date all the same."""
    (project / SETTINGS).write_text(wanted("tutor", "windows")[SETTINGS])
    assert '"py"' in (project / SETTINGS).read_text()
    assert file_states(project)[SETTINGS] is State.CURRENT


def test_another_answer_is_another_style(project: Path) -> None:
    """The settings that everybody shares follow the project's answer, not one learner's choice."""
    set_mode(project, "pair")
    assert file_states(project)[SETTINGS] is State.CURRENT
    (project / ".copier-answers.yml").write_text("assistant_mode: pair\n")
    (project / RECORD).unlink()
    assert update_files(project) == [SETTINGS]
    assert json.loads((project / SETTINGS).read_text())["outputStyle"] == "Pair"


def test_taking_them_out_leaves_what_is_ours(project: Path) -> None:
    """A changed skill and files of one's own stay, with their folders; the rest goes."""
    (project / SKILL).write_text("ours\n")
    (project / ".claude" / "settings.local.json").write_text("{}")
    assert SKILL not in remove_files(project, check=True)
    remove_files(project)
    left = {p.relative_to(project).as_posix() for p in project.glob(".claude/**/*") if p.is_file()}
    assert left == {SKILL, ".claude/settings.local.json"}


def test_a_record_that_is_none_is_begun_anew(project: Path) -> None:
    """Whatever stands in the file."""
    (project / RECORD).write_text("[")
    record(project)
    assert SKILL in json.loads((project / RECORD).read_text())


def test_the_command_tells_files_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing ones are written, changed ones told, and a pipeline is told by exit codes."""
    monkeypatch.chdir(project)
    run = CliRunner().invoke
    (project / SETTINGS).unlink()
    assert run(app, ["update", "--check"]).exit_code == 1
    done = run(app, ["update"])
    assert (done.exit_code, f"{SETTINGS}: is written" in done.output) == (0, True)
    assert run(app, ["status", "--check"]).exit_code == 0
    (project / SKILL).write_text("ours\n")
    told = run(app, ["update"])
    assert f"{SKILL}: changed by hand" in told.stderr
    assert run(app, ["status", "--check"]).exit_code == 1
    assert json.loads(run(app, ["status", "--json"]).output)["files"][SKILL] == "changed by hand"
    assert run(app, ["remove"]).exit_code == 0
    assert not (project / SETTINGS).exists()
