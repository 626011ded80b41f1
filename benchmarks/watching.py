"""From a save to the verdict of `headwater grade --watch`, beside one cold run of pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import IO

from benchmarks.servers import BenchmarkFailed
from headwater_workshop.lessons import find_lesson
from headwater_workshop.stages import stage, write

TASKS = Path("backend", "tasks.py")


class Watched:
    """A project in which a lesson is solved, watched by the real command."""

    def __init__(self, root: Path, output: IO[str]) -> None:
        self._file = root / TASKS
        self._output = output
        self._saves = 0
        self._verdict()

    def save_s(self) -> float:
        """Seconds from a save to the verdict."""
        self._saves += 1
        text = self._file.read_text(encoding="utf-8").partition("\n# save ")[0]
        whole = self._file.with_suffix(".new")
        whole.write_text(f"{text}\n# save {self._saves}\n", encoding="utf-8")
        started = perf_counter()
        os.replace(whole, self._file)
        self._verdict()
        return perf_counter() - started

    def _verdict(self) -> None:
        text = ""
        for line in self._output:
            text += line
            if line == "}\n":
                break
        if not text or not json.loads(text)["passed"]:
            raise BenchmarkFailed(f"the solved lesson did not pass: {text[-500:]}")


@contextmanager
def watched(root: Path, lesson: str) -> Iterator[Watched]:
    """A watched project, whose second verdict on is as warm as a learner's."""
    write(stage(find_lesson(lesson).number), root)
    command = [sys.executable, "-m", "headwater", "grade", lesson, "--watch", "--json"]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        try:
            assert running.stdout is not None
            yield Watched(root, running.stdout)
        finally:
            running.terminate()


def write_trivial_test(root: Path) -> None:
    """One test that does nothing, in a project like the watched one."""
    write(stage(0), root)
    for path in (root / "tests").glob("test_*.py"):
        path.unlink()
    (root / "tests" / "test_nothing.py").write_text("def test_nothing(): pass\n")


def pytest_s(root: Path) -> float:
    """Seconds of a fresh pytest that runs it."""
    started = perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/test_nothing.py"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BenchmarkFailed(done.stdout + done.stderr)
    return perf_counter() - started
