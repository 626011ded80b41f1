"""`headwater hook` on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from headwater_workshop.cli.hook import hook
from headwater_workshop.hooks import EVENTS
from tests.workshop.hooks.payloads import make, tool

APP = typer.Typer()
APP.command("hook")(hook)
LOADED = """
import sys
from headwater.cli import main
sys.argv = ["headwater", *sys.argv[1:]]
try:
    main()
finally:
    heavy = ("fastapi", "httpx", "copier", "pytest", "rich.console", "headwater.core.schema")
    print([name for name in heavy if name in sys.modules])
"""


def test_a_payload_is_answered_in_json(tmp_path: Path) -> None:
    """A refusal exits with 0 too: the answer is what counts."""
    payload = tool(make(tmp_path), "Edit", file_path=f"{tmp_path}/my app/.headwater/x")
    told = CliRunner().invoke(APP, ["pre-tool-use"], input=json.dumps(payload))
    assert told.exit_code == 0
    output = json.loads(told.stdout)["hookSpecificOutput"]
    assert output["permissionDecision"] == "deny"


@pytest.mark.parametrize("event", EVENTS)
def test_nothing_to_say_is_nothing(tmp_path: Path, event: str) -> None:
    """No output for a payload about no file; a session that begins is told facts."""
    payload = tool(make(tmp_path), "Read", file_path="x")
    told = CliRunner().invoke(APP, [event], input=json.dumps(payload))
    assert told.exit_code == 0
    assert bool(told.stdout) is (event == "session-start")


def test_an_unknown_event_is_wrong_usage() -> None:
    """Exit code 2, with those there are."""
    told = CliRunner().invoke(APP, ["before"])
    assert told.exit_code == 2
    assert "pre-tool-use" in told.stderr


@pytest.mark.parametrize("event", ["pre-tool-use", "post-tool-use"])
def test_an_edit_waits_for_no_library(tmp_path: Path, event: str) -> None:
    """The hooks of an edit load neither server nor engine: they answer in a blink."""
    payload = tool(make(tmp_path), "Edit", file_path=f"{tmp_path}/my app/backend/tasks.py")
    command = [sys.executable, "-c", LOADED, "hook", event]
    text = json.dumps(payload)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr
