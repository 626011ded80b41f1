"""`make start`: serve a project in the foreground, with sample data, until Ctrl-C.

`headwater dev` is the server; this starts it, calls `seed:sample_data` once it answers, says where
to look, and ends when the server ends.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from headwater.deployment import running_server

from .environments import own_headwater

SEED = "seed:sample_data"
POLL_S = 0.1


def program(folder: Path) -> Path:
    """The `headwater` command of the project's own environment."""
    found = own_headwater(folder)
    if found is None:
        raise SystemExit(f"{folder} has no environment yet: run `make env` in it.")
    return found


def serve(command: Sequence[str], folder: Path, port: int) -> int:
    """Run the server until it ends, with sample data as soon as it answers; its exit code."""
    server = subprocess.Popen([*command, "dev", "--port", str(port)], cwd=folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the server too, which ends us
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    url = address(server, folder)
    if url:
        seed(command, folder)
        print(greeting(url, folder), flush=True)
    return server.wait()


def address(server: subprocess.Popen[bytes], folder: Path) -> str:
    """Where the server answers, once it says so; empty when it ended instead."""
    while server.poll() is None:
        said = running_server(folder)
        if said.get("pid") == server.pid:  # another number is an earlier server's
            return str(said["url"])
        time.sleep(POLL_S)
    return ""


def seed(command: Sequence[str], folder: Path) -> None:
    """Call the project's sample data function; a project without one is served as it is."""
    ran = subprocess.run([*command, "run", SEED, "{}"], cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        print(f"No sample data: {(ran.stderr or ran.stdout).strip()}", file=sys.stderr)


def greeting(url: str, folder: Path) -> str:
    """What to do next, in three lines."""
    call = (
        """.venv/bin/headwater run tasks:create_task '{"title": "Typed in a terminal"}' --as ana"""
    )
    return (
        f"\n  Open {url} in two windows, sign in as ana, and complete a task in one."
        f"\n  Then, in a second terminal:  cd {folder} && {call}"
        f"\n  The code is in {folder / 'backend'}. Ctrl-C ends the server.\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m headwater_workshop.start FOLDER [--port 3210]`."""
    parser = argparse.ArgumentParser(description=__doc__, prog="headwater_workshop.start")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=3210)
    given = parser.parse_args(arguments)
    return serve([str(program(given.folder))], given.folder, given.port)


if __name__ == "__main__":
    raise SystemExit(main())
