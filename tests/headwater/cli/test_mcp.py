"""`headwater mcp`: what it does not start with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headwater.cli import app

Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Why the command does not start in a project; nothing goes where the client reads."""
    (tmp_path / "backend").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEADWATER_URL", raising=False)

    def run(*words: str, code: int = 2) -> str:
        ended = CliRunner().invoke(app, ["mcp", *words])
        assert (ended.exit_code, ended.stdout) == (code, "")
        return ended.stderr

    return run


def test_another_machine_is_refused(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is said that it may be: an assistant's tools reach data and run functions."""
    assert "--allow-remote" in refused("--url", "https://api.example.org")
    monkeypatch.setenv("HEADWATER_URL", "http://127.0.0.1.example.org:3210")
    assert "--allow-remote" in refused()


def test_an_unknown_tool_cannot_be_left_out(refused: Refused) -> None:
    """A slip of the pen would leave in what was to be left out."""
    assert "env_name" in refused("--disable-tools", "run,env_name", "--url", "http://[::1]:3210")


def test_without_the_sdk_it_says_what_to_install(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is named; nothing else of the runtime needs it."""
    for name in [name for name in sys.modules if name.startswith("headwater.mcp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver.exceptions", None)
    assert "pip install 'headwater[mcp]'" in refused(code=1)


def test_outside_a_project_it_says_so(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project is the folder that it is started in, or one above."""
    (tmp_path / "backend").rmdir()
    assert "no backend/ folder" in refused()
