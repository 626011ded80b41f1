"""The supervisor: a server process behind a socket, and another when it ends."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.supervisor import STARTUP_FAILED, listen
from tests.headwater.projects import write_project

CHILD = """
import os, signal, socket, sys
from pathlib import Path

lives = Path(sys.argv[1])
lived = lives.read_text() if lives.exists() else ""
lives.write_text(lived + ("F" if "after-fault" in sys.argv[3:] else "L"))
ends = sys.argv[2].split(",")
end = ends[min(len(lived), len(ends) - 1)]
if end == "serve":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    listening = socket.socket(fileno=int(sys.argv[3]))
    while True:
        taken, _ = listening.accept()
        taken.sendall(b"served")
        taken.close()
os._exit(int(end))
"""
KEEPER = """
import socket, sys
from headwater.supervisor import Supervisor, listen

listening = listen("127.0.0.1", 0)
print(listening.getsockname()[1], flush=True)
command = [sys.executable, *sys.argv[1:]]
code = Supervisor(command, [listening], lambda text: print(text, flush=True), 15.0).run()
print("end", code, flush=True)
"""


class Kept:
    """A supervisor in a process of its own, over a child that ends as it is told."""

    def __init__(self, folder: Path, ends: str) -> None:
        self.lives = folder / "lives"
        (folder / "child.py").write_text(CHILD)
        command = [str(folder / "child.py"), str(self.lives), ends]
        self.process = subprocess.Popen(
            [sys.executable, "-c", KEEPER, *command], stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.line())

    def line(self) -> str:
        """What it says next."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self) -> bytes:
        """What whoever serves the socket answers."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as asking:
            return asking.recv(100)

    def end(self) -> None:
        """Whatever happened."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[list[Kept]]:
    """Supervisors to be ended."""
    kept: list[Kept] = []
    yield kept
    for one in kept:
        one.end()


@pytest.mark.parametrize("end", ["1", "0"])
def test_a_server_that_ends_is_started_again(keep: list[Kept], tmp_path: Path, end: str) -> None:
    """Whatever its exit code; who connected meanwhile is served by the next one."""
    kept = Kept(tmp_path, f"{end},serve")
    keep.append(kept)
    assert kept.ask() == b"served"
    assert kept.line().startswith(f"The server process ended unexpectedly (exit code {end})")
    kept.process.terminate()
    assert kept.line() == "end 0"
    assert kept.lives.read_text() == "LF", "the second is told that the first was ended by a fault"


def test_a_server_that_cannot_start_is_not_tried_again(keep: list[Kept], tmp_path: Path) -> None:
    """Starting it once more would not help."""
    kept = Kept(tmp_path, str(STARTUP_FAILED))
    keep.append(kept)
    assert kept.line() == "end 1"
    assert len(kept.lives.read_text()) == 1


def test_an_address_in_use_is_refused() -> None:
    """Two servers do not share one."""
    with listen("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", first.getsockname()[1])


def test_a_free_port_is_taken_at_once() -> None:
    """Both families."""
    with listen("127.0.0.1", 0) as four:
        assert four.family == socket.AF_INET
        assert four.getsockname()[1] > 0


def test_a_backend_that_does_not_load_ends_the_command(tmp_path: Path) -> None:
    """`serve` says why, with file and line, and exits 1."""
    root = write_project(tmp_path, broken="x = (\n")
    script = "from headwater.cli import main; main()"
    command = [sys.executable, "-c", script, "serve", "--port", "0"]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "Headwater cannot start: backend/broken.py:1:" in ended.stderr
