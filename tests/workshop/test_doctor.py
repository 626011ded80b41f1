"""What the doctor finds, and what it says then."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from headwater_workshop import doctor
from headwater_workshop.ai_files import updated
from headwater_workshop.cli.doctor import doctor as command
from headwater_workshop.doctor import Check, examine, fire, hooks, port
from headwater_workshop.hooks import EVENTS
from headwater_workshop.managed import update_files
from headwater_workshop.sandbox.jail import JailReport
from tests.workshop.hooks.payloads import make

PRE = "pre-tool-use"
APP = typer.Typer()
APP.command("doctor")(command)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with this environment, in a folder with a space."""
    project = make(tmp_path)
    (project / "CLAUDE.md").touch()
    (project / "AGENTS.md").write_text(updated("", "pair"))
    update_files(project)
    (project / ".venv").symlink_to(sys.prefix)
    return project


def levels(found: list[Check]) -> dict[str, str]:
    """Each check's level by its name."""
    return {check.name: check.level for check in found}


def test_a_new_project_is_in_order(project: Path) -> None:
    """Everything is looked at, and each hook answers through its launcher."""
    found = list(examine(project))
    named = [
        "Python",
        "environment",
        "headwater",
        "port",
        "sandbox",
        "AGENTS.md",
        ".claude/",
        "tools",
    ]
    assert [check.name for check in found] == [*named, *(f"hook {event}" for event in EVENTS)]
    broken = [each for each in found if each.level == "broken"]
    assert not broken
    refused = next(check for check in found if check.name == f"hook {PRE}")
    assert "refused an edit of .claude/settings.json" in refused.says


def test_without_an_environment_it_says_how_to_make_one(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment is broken, so is every hook, and the exit code is 1."""
    (project / ".venv").unlink()
    monkeypatch.chdir(project)
    told = CliRunner().invoke(APP, ["--json"])
    assert told.exit_code == 1
    facts = json.loads(told.stdout)
    assert facts["ok"] is False
    checks = {check["name"]: check for check in facts["checks"]}
    assert checks["environment"]["level"] == "broken"
    assert "pip install -r requirements.lock" in checks["environment"]["fix"]
    assert checks["hook stop"]["level"] == "broken"
    assert "no headwater in .venv" in checks["hook stop"]["says"]


def test_a_person_sees_a_table(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line for each check, then how to mend what is not in order."""
    monkeypatch.setattr(doctor, "hooks", lambda project: iter(()))
    monkeypatch.chdir(project)
    (project / "AGENTS.md").unlink()
    told = CliRunner().invoke(APP, [])
    assert told.exit_code == 1
    assert "AGENTS.md: " in told.output
    assert "headwater ai-files update" in told.output


def test_one_fix_for_several_is_told_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks that fail for want of an environment are named beside it."""
    monkeypatch.setattr(
        doctor, "hooks", lambda _: iter([Check("hook stop", "broken", "", doctor._install())])
    )
    monkeypatch.chdir(project)
    (project / ".venv").unlink()
    told = CliRunner().invoke(APP, []).output
    assert "environment, hook stop: " in told
    assert told.count("-r requirements.lock") == 1


def test_outside_of_a_project_it_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, with the way to a project."""
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(APP, [])
    assert told.exit_code == 2
    assert "headwater new my-app" in told.stderr


def handler(script: str) -> dict[str, Any]:
    """A handler that is a shell script."""
    return {"type": "command", "command": "sh", "args": ["-c", script]}


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 2", "exit code 2"),
        ("echo hello", "JSONDecodeError"),
        ("echo '{}'", "it answered nothing"),
        ('echo \'{"systemMessage": "nothing was checked"}\'', "nothing was checked"),
    ],
)
def test_a_hook_that_does_not_answer_is_broken(tmp_path: Path, script: str, says: str) -> None:
    """Whatever it does in place of an answer is told."""
    found = fire(tmp_path, PRE, handler(script))
    assert (found.level, says in found.says, bool(found.fix)) == ("broken", True, True)


def test_a_missing_interpreter_is_named(tmp_path: Path) -> None:
    """Where `python3` is not there, as on Windows, the settings can name another."""
    found = fire(tmp_path, PRE, {"command": "no-such-python", "args": []})
    assert (found.level, found.says) == ("broken", "there is no program no-such-python")


def test_hooks_that_are_off_or_gone_are_told(tmp_path: Path) -> None:
    """A switch in the local settings, or an event that nobody handles."""
    (tmp_path / "CLAUDE.md").touch()
    update_files(tmp_path)
    (tmp_path / ".claude" / "settings.local.json").write_text('{"disableAllHooks": true}')
    (tmp_path / ".claude" / "settings.json").write_text('{"hooks": {}}')
    found = list(hooks(tmp_path))
    assert found[0].says == ".claude/settings.local.json switches all of them off"
    assert {check.level for check in found} == {"broken"}
    assert "has no handler for Stop" in found[-1].says


def test_tools_that_cannot_be_started_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No server in .mcp.json, no such program, or all well."""
    assert doctor.tools(tmp_path).level == "warning"
    servers = {"mcpServers": {"headwater": {"command": "no-such-uv", "args": []}}}
    (tmp_path / ".mcp.json").write_text(json.dumps(servers))
    assert "no program no-such-uv" in doctor.tools(tmp_path).says
    monkeypatch.setattr("headwater_workshop.doctor.shutil.which", str)
    assert doctor.tools(tmp_path).level == "ok"


def test_a_taken_port_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is this project's server that has it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        monkeypatch.setattr(doctor, "PORT", number)
        assert port(tmp_path).level == "warning"
        (tmp_path / ".headwater").mkdir()
        note = json.dumps({"url": f"http://127.0.0.1:{number}"})
        (tmp_path / ".headwater" / "server.json").write_text(note)
        assert port(tmp_path).level == "ok"
    assert port(tmp_path).says == f"{number} is free"


def test_the_sandbox_s_level_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """L3 is in order; below it strangers' code is not graded, and what is missing is named."""
    weak = JailReport("L1", ("rlimits",), ("Landlock", "seccomp"))
    monkeypatch.setattr(doctor, "jail_report", lambda: weak)
    found = doctor.sandbox()
    assert (found.level, found.says) == ("warning", "L1: rlimits; missing: Landlock, seccomp")
    strong = JailReport("L3", ("Landlock ABI 6", "seccomp", "rlimits"), ())
    monkeypatch.setattr(doctor, "jail_report", lambda: strong)
    monkeypatch.setattr(doctor, "jail_level", lambda *, network: "L1")
    assert doctor.sandbox().level == "ok"
    assert "L1 where a check needs a network" in doctor.sandbox().says
    monkeypatch.setattr(os, "name", "nt")
    assert doctor.sandbox().level == "warning"
