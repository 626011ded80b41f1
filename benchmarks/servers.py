"""Start and stop the two servers, and run the load generator against one of them."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent
ROOT = HERE.parent
Kind = Literal["headwater", "handwritten"]
START_LIMIT_S = 30
LOAD_LIMIT_S = 600


class BenchmarkFailed(Exception):
    """A server did not start, or the load generator broke off."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    kind: Kind
    address: str
    stats_url: str

    def load(self, scenario: str, **sizes: str | int) -> dict[str, float]:
        """Run a scenario in a process of its own and return its numbers."""
        request = {
            "scenario": scenario,
            "dialect": self.kind,
            "address": self.address,
            "stats_url": self.stats_url,
            **sizes,
        }
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.load", json.dumps(request)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LOAD_LIMIT_S,
            check=False,
        )
        if done.returncode != 0:
            raise BenchmarkFailed(f"{scenario} against {self.kind}:\n{done.stderr}")
        numbers: dict[str, float] = json.loads(done.stdout)
        return numbers


@contextmanager
def serving(kind: Kind) -> Iterator[Server]:
    """Run a server on a fresh database, on the disk that holds this checkout."""
    (HERE / "app" / ".headwater").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=HERE / "app" / ".headwater", prefix="run-"))
    port, stats_port = free_port(), free_port()
    own = kind == "headwater"
    with (folder / "stderr").open("w") as complaints:
        process = subprocess.Popen(
            headwater(folder, port, stats_port) if own else handwritten(folder, port),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])},
            stderr=complaints,
        )
    try:
        stats = port if kind == "handwritten" else stats_port
        server = Server(kind, f"127.0.0.1:{port}", f"http://127.0.0.1:{stats}/stats")
        wait_until_up(server, process, folder / "stderr")
        yield server
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def handwritten(folder: Path, port: int) -> list[str]:
    """The command that runs the hand-written server."""
    database = str(folder / "board.sqlite3")
    return [
        *(sys.executable, "-m", "benchmarks.handwritten.server"),
        *("--port", str(port), "--database", database),
    ]


def headwater(folder: Path, port: int, stats_port: int) -> list[str]:
    """The command that runs the measured backend on Headwater."""
    shutil.copytree(HERE / "app" / "backend", folder / "backend")
    return [
        *(sys.executable, "-m", "benchmarks.app.serve"),
        *("--project", str(folder), "--port", str(port), "--stats-port", str(stats_port)),
    ]


def wait_until_up(server: Server, process: subprocess.Popen[bytes], stderr: Path) -> None:
    """Poll until the server answers; say what it printed if it never does."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(server.stats_url, timeout=5).close()
            return
        time.sleep(0.05)
    raise BenchmarkFailed(f"{server.kind} did not start:\n{stderr.read_text()}")


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
