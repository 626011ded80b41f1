"""Runs every attack with one protection after the other, and prints what came of each as JSON.

    python sandbox_table.py COLUMN...

A program of its own, because it is run as other users and inside of namespaces as well: what it
imports must be on `sys.path` before.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from headwater_workshop.sandbox import jail
from tests.workshop.attacks import ATTACKS

COLUMNS = ("nothing", "rlimits", "landlock", "L3", "L2")
LEVELS = {"rlimits": "L1", "L3": "L3", "L2": "L2"}
WALL_CLOCK_S = 20
LANDLOCK_ALONE = """
import sys; sys.path[:0] = {paths!r}
from pathlib import Path
from headwater_workshop.sandbox import child, jail, landlock
child._give_up_privileges()
landlock.restrict([Path(each) for each in {readable!r}], [Path(each) for each in {listable!r}], ())
"""


def main(columns: list[str]) -> None:
    """Print `{column: {attack: "escaped" | "blocked"}}`."""
    os.environ["HEADWATER_TEST_SECRET"] = "x"
    victim = subprocess.Popen(
        ["sleep", "600"],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with socket.socket() as listener, ThreadPoolExecutor(4) as pool:
        listener.bind(("127.0.0.1", 0))
        listener.listen(500)
        aim = Aim(listener.getsockname()[1], victim.pid)
        table = {
            column: dict(
                zip(ATTACKS, pool.map(partial(outcome, column, aim), ATTACKS), strict=True)
            )
            for column in columns
        }
    victim.kill()
    victim.wait()
    print(json.dumps(table))


class Aim(NamedTuple):
    """What attacks aim at: a port somebody listens on, and a process of the same user."""

    port: int
    process: int


def outcome(column: str, aim: Aim, name: str) -> str:
    """How one attack ends, each with a fresh file to aim at."""
    with tempfile.TemporaryDirectory() as folder:
        hidden = Path(folder) / "hidden" / "answers.txt"
        hidden.parent.mkdir()
        hidden.write_text("the expected values")
        code = ATTACKS[name].format(
            path=str(hidden),
            folder=str(hidden.parent),
            port=aim.port,
            parent=aim.process,
            group=aim.process,
            name="HEADWATER_TEST_SECRET",
            execveat={"x86_64": 322, "aarch64": 281}.get(platform.machine(), 0),
        )
        printed = run(column, code)
    return "escaped" if "ESCAPED" in printed else "blocked"


def run(column: str, code: str) -> str:
    """What a program prints under one column's protection."""
    if column in LEVELS:
        program = [sys.executable, "-I", "-c", code]
        process = jail.launch(program, readable=(), cwd=Path("/"), level=LEVELS[column])
        try:
            output, errors = process.communicate(timeout=WALL_CLOCK_S)
        finally:
            jail.kill(process)
        return (output + errors).decode()
    if column == "landlock":
        paths = [str(path) for path in (*jail._SYSTEM_PATHS, *jail.python_paths())]
        listable = [str(path) for path in jail._listable_paths()]
        code = LANDLOCK_ALONE.format(paths=sys.path, readable=paths, listable=listable) + code
    ended = subprocess.run(
        [sys.executable, "-I", "-c", code],
        capture_output=True,
        cwd="/",
        timeout=WALL_CLOCK_S,
        check=False,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    return (ended.stdout + ended.stderr).decode()


if __name__ == "__main__":
    main(sys.argv[1:])
