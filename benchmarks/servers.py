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
CACHE = HERE / "app" / ".headwater"  # not in git
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
    """Run a server on a fresh database."""
    port, stats_port = free_port(), free_port()
    own = kind == "headwater"
    with run_folder() as folder:
        command = headwater(folder, port, stats_port) if own else handwritten(folder, port)
        stats_url = f"http://127.0.0.1:{stats_port if own else port}/stats"
        with running(command, folder, stats_url):
            yield Server(kind, f"127.0.0.1:{port}", stats_url)


@contextmanager
def run_folder() -> Iterator[Path]:
    """A folder for one run, on the disk that holds this checkout."""
    CACHE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=CACHE, prefix="run-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def running(command: list[str], folder: Path, url: str, within: Path = ROOT) -> Iterator[None]:
    """Run a server for a block, which begins when the server answers at `url`.

    Args:
        command: what runs it.
        folder: takes what it prints.
        url: something of it that can be fetched.
        within: the folder it runs in.
    """
    printed = folder / "printed"
    with printed.open("w") as output:
        process = subprocess.Popen(
            command, cwd=within, env=environment(), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until_up(url, process, command, printed)
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def environment() -> dict[str, str]:
    """This process's environment, with the checkout's code found first."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}


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


def wait_until_up(
    url: str, process: subprocess.Popen[bytes], command: list[str], printed: Path
) -> None:
    """Poll until the server answers; say what it printed if it never does."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.05)
    raise BenchmarkFailed(f"{' '.join(command)} did not start:\n{printed.read_text()}")


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
