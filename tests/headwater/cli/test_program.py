"""The program: its commands are found by name, and only the one called is loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from headwater.cli import COMMANDS, app

LOADED = """
import sys
from headwater.cli import main
sys.argv = ["headwater", *sys.argv[1:]]
try:
    main()
finally:
    print([name for name in ("fastapi", "uvicorn", "copier", "httpx") if name in sys.modules])
"""


@pytest.mark.parametrize("words", [["--version"], ["explain", "HW203"], ["env", "list", "--help"]])
def test_a_command_loads_no_server(words: list[str]) -> None:
    """What answers in a blink must not wait for libraries it does not use."""
    command = [sys.executable, "-c", LOADED, *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout.splitlines()[-1] == "[]", ended.stdout + ended.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_found(name: str) -> None:
    """Each place in the table is a function or a group that has a help text."""
    told = CliRunner().invoke(app, [name, "--help"])
    assert told.exit_code == 0
    assert f" {name} " in told.stdout


def test_a_wrong_command_is_told() -> None:
    """With a near one, exit code 2."""
    told = CliRunner().invoke(app, ["expalin"])
    assert told.exit_code == 2
    assert "'explain'" in told.stderr
