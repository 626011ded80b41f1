"""What `make start` runs: a project served with sample data until somebody ends it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from headwater_workshop import start
from tests.scenarios.server_process import free_port, wait_for

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template" / "{% if start == 'complete' %}backend{% endif %}"
WELCOME = "Open this page in a second window"


def make_project(folder: Path) -> Path:
    """A project whose environment is the one these tests run in."""
    shutil.copytree(TEMPLATE, folder / "backend")
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return folder


def command(project: Path, port: int) -> list[str]:
    """The program as `make start` calls it."""
    return [sys.executable, "-m", start.__name__, str(project), "--port", str(port)]


@contextmanager
def running(project: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program on a free port, once it has seeded; ended whatever happens."""
    port = free_port()
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}")
    with (
        client,
        subprocess.Popen(
            command(project, port), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as program,
    ):
        try:
            wait_for(lambda: WELCOME in tasks_of_ana(client), "sample data")
            yield program, port
        finally:
            program.terminate()
            program.wait(30)


def tasks_of_ana(client: httpx.Client) -> list[str]:
    """The titles of ana's tasks, as her page gets them; none while the server does not answer."""
    body = {"path": "tasks:getTasks", "args": {}}
    try:
        token = client.post("/dev/token", json={"subject": "ana"}).json()["token"]
        signed_in = {"Authorization": f"Bearer {token}"}
        answer = client.post("/api/query", json=body, headers=signed_in).json()
    except httpx.TransportError:
        return []
    return [task["title"] for task in answer.get("value", [])]


def test_it_serves_sample_data_and_takes_no_other_server_for_its_own(tmp_path: Path) -> None:
    """The first page is not empty; a second project on the same port ends, and greets nobody."""
    with running(make_project(tmp_path / "first")) as (_, port):
        second = command(make_project(tmp_path / "second"), port)
        ended = subprocess.run(second, capture_output=True, text=True, timeout=60)
        assert ended.returncode != 0
        assert "Ctrl-C" not in ended.stdout


@pytest.mark.prove
def test_it_ends_with_its_server(tmp_path: Path) -> None:
    """Ended from outside, it takes the server with it and prints no traceback."""
    with running(make_project(tmp_path)) as (program, port):
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
        assert start.serve(failing, tmp_path, free_port()) == 3
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
