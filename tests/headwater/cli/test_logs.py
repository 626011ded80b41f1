"""`headwater logs`: the calls of the running server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from headwater.cli import app
from headwater.settings import STATE
from tests.headwater.projects import write_project
from tests.headwater.served import Served

Logs = Callable[..., Result]


@pytest.fixture
def logs(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Logs:
    """The command, beside a server that has run three calls; the second of them failed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / STATE / "server.json").write_text('{"url": "http://here"}')

    def request(method: str, url: str, **options: Any) -> Any:
        options = {k: v for k, v in options.items() if k != "timeout"}
        if options["params"].get("cursor") is not None:
            served.hub.recorder.records.add(0, "query", "later:one", 1.0, None, [], None, "")
        if served.hub.recorder.records.newest > 5:
            raise KeyboardInterrupt
        return served.request(method, url.removeprefix("http://here"), **options)

    for path in ("tasks:titles", "tasks:who", "tasks:titles"):
        served.post("/api/query", {"path": path, "args": {}})
    monkeypatch.setattr(httpx, "request", request)
    return lambda *words: CliRunner().invoke(app, ["logs", *words])


def test_calls_are_shown_for_people(logs: Logs) -> None:
    """The newest, oldest first, each with its time of day."""
    shown = logs()
    assert shown.exit_code == 0
    assert [line.split()[4] for line in shown.stdout.splitlines() if " ms " in line] == [
        "tasks:titles",
        "tasks:who",
        "tasks:titles",
    ]
    assert "Not signed in" in shown.stdout
    assert "tasks:who" not in logs("--limit", "1").stdout


def test_calls_are_shown_as_json(logs: Logs) -> None:
    """One object per line; failures alone where they are asked for."""
    lines = [json.loads(line) for line in logs("--json").stdout.splitlines()]
    assert [line["outcome"] for line in lines] == ["success", "error", "success"]
    (failed,) = logs("--json", "--errors").stdout.splitlines()
    assert json.loads(failed)["function"] == "tasks:who"


def test_what_comes_is_followed(logs: Logs) -> None:
    """Each call once, until Ctrl-C, which is no failure."""
    followed = logs("--follow", "--json", "--limit", "1")
    assert followed.exit_code == 0
    functions = [json.loads(line)["function"] for line in followed.stdout.splitlines()]
    assert functions == ["tasks:titles", "later:one", "later:one"]


def test_no_server_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do."""
    monkeypatch.chdir(write_project(tmp_path, tasks="\n"))
    told = CliRunner().invoke(app, ["logs"])
    assert told.exit_code == 1
    assert "headwater dev" in told.stderr
