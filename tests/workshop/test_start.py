"""What `make start` runs: a project served with sample data until somebody ends it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from headwater_workshop import start
from tests.scenarios.server_process import free_port, wait_for

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template" / "{% if start == 'complete' %}backend{% endif %}"
WELCOME = "Open this page in a second window"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose environment is the one these tests run in."""
    shutil.copytree(TEMPLATE, tmp_path / "app" / "backend")
    (tmp_path / "app" / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return tmp_path / "app"


@pytest.fixture
def started(project: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program on a free port; ended whatever happens."""
    port = free_port()
    command = [sys.executable, "-m", start.__name__, str(project), "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        try:
            yield program, port
        finally:
            program.terminate()
            program.wait(30)


def tasks_of_ana(port: int) -> list[str]:
    """The titles of ana's tasks; none while the server does not answer."""
    body = {"path": "tasks:getTasksByAssignee", "args": {"assignee": "ana"}}
    try:
        answer = httpx.post(f"http://127.0.0.1:{port}/api/query", json=body).json()
    except httpx.TransportError:
        return []
    return [task["title"] for task in answer.get("value", [])]


def test_the_first_page_is_not_empty(started: tuple[subprocess.Popen[str], int]) -> None:
    """The server answers and has the sample data, without anybody asking for it."""
    _, port = started
    assert WELCOME in wait_for(lambda: tasks_of_ana(port), "sample data")


def test_it_ends_with_its_server(started: tuple[subprocess.Popen[str], int]) -> None:
    """Ended from outside, it takes the server with it and prints no traceback."""
    program, port = started
    wait_for(lambda: tasks_of_ana(port), "sample data")
    program.send_signal(signal.SIGTERM)
    said, _ = program.communicate(timeout=30)
    assert "Traceback" not in said
    assert f"http://127.0.0.1:{port}" in said
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/version")


def test_a_project_without_an_environment_is_told_what_to_do(tmp_path: Path) -> None:
    """The message names the command that makes one."""
    with pytest.raises(SystemExit, match="make env"):
        start.main([str(tmp_path)])


def test_a_server_that_cannot_start_ends_it(tmp_path: Path) -> None:
    """When the server ends before it answers, its exit code is ours and nothing is seeded."""
    failing = [sys.executable, "-c", "raise SystemExit(3)"]
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        assert start.serve(failing, tmp_path, f"http://127.0.0.1:{free_port()}") == 3
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
