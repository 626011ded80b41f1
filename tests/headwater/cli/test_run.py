"""`headwater run`: a function of the running server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from headwater.cli import app
from tests.headwater.projects import write_project
from tests.headwater.served import Served

Run = Callable[..., Result]


@pytest.fixture
def run(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, in the served project's folder; its requests reach that server."""
    monkeypatch.chdir(tmp_path)

    def post(url: str, *, content: bytes, headers: dict[str, str], timeout: float) -> Any:
        path = url.removeprefix("http://127.0.0.1:3210")
        assert timeout > 600, "an action may take its time"
        return served.request("POST", path, content=content, headers=headers)

    monkeypatch.setattr(httpx, "post", post)
    return lambda *arguments: CliRunner().invoke(app, ["run", *arguments])


def test_a_function_is_run(run: Run) -> None:
    """Path and argument names in either spelling; numbers as people write them."""
    added = run("tasks:add", '{"title": "a", "copies": 2}')
    assert (added.exit_code, added.stdout) == (0, "2\n")
    assert "'added' 'a'" in added.stderr
    assert run("tasks:titles").stdout == '[\n  "a",\n  "a"\n]\n'


def test_a_function_is_run_as_somebody(run: Run) -> None:
    """By a development identity."""
    assert run("tasks:who", "--as", "ana").stdout == '"ana"\n'


def test_an_error_is_told_and_ends_with_1(run: Run) -> None:
    """On standard error, so that a pipe gets results only."""
    failed = run("tasks:who")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert "Not signed in" in failed.stderr
    assert "Could not find public function for 'tasks:nothing'" in run("tasks:nothing").stderr


@pytest.mark.parametrize(
    ("arguments", "message"), [("{", "are not JSON"), ("[]", "must be a JSON object")]
)
def test_arguments_are_a_json_object(run: Run, arguments: str, message: str) -> None:
    """Wrong usage ends with 2 and shows how."""
    wrong = run("tasks:add", arguments)
    assert wrong.exit_code == 2
    assert message in wrong.stderr
    assert '{"title": "Milk"}' in wrong.stderr


def test_no_server_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that starts one."""
    monkeypatch.chdir(write_project(tmp_path, tasks="\n"))
    ended = CliRunner().invoke(app, ["run", "tasks:add", "--url", "http://127.0.0.1:1"])
    assert ended.exit_code == 1
    assert "no Headwater server answers at http://127.0.0.1:1" in ended.stderr
    assert "headwater dev" in ended.stderr
