"""`headwater grade --watch`: a verdict after each save, from the files as they are then."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater_workshop.grader.watching import saved_files, watch
from headwater_workshop.lessons import load_lessons
from headwater_workshop.report import GradeResult
from headwater_workshop.stages import stage, started, write

FIRST = load_lessons()[0]


def test_each_save_that_changes_something_gets_its_verdict(tmp_path: Path) -> None:
    """The beginning fails, the solution passes, a file that is not graded is no change."""
    write(started(FIRST), tmp_path)
    verdicts: list[bool] = []

    def saves() -> Iterator[None]:
        yield
        write(stage(1), tmp_path)
        yield
        (tmp_path / "backend" / "notes.txt").write_text("not graded")
        yield
        write(started(FIRST), tmp_path)
        yield

    def told(result: GradeResult, seconds: float) -> None:
        assert seconds > 0
        verdicts.append(result.passed)

    watch(tmp_path, FIRST, saves(), told)
    assert verdicts == [False, True, False]


def test_a_save_while_the_first_verdict_is_made_gets_its_own(tmp_path: Path) -> None:
    """The folders are watched before the first turn is given."""
    write(started(FIRST), tmp_path)
    turns = saved_files(tmp_path, FIRST)
    next(turns)
    write(stage(1), tmp_path)
    assert any("tasks.py" in path for _, path in next(turns))


def test_all_verdicts_are_by_one_seed(tmp_path: Path) -> None:
    """What is wrong is found again, in the same words, with all that checks fill kept meanwhile."""
    lesson = load_lessons()[1]
    turns = [started(lesson), stage(2), started(lesson)]
    found: list[GradeResult] = []

    def saves() -> Iterator[None]:
        for files in turns:
            write(files, tmp_path)
            yield

    watch(tmp_path, lesson, saves(), lambda result, _: found.append(result), seed=5)
    assert [(each.passed, each.seed) for each in found] == [(False, 5), (True, 5), (False, 5)]
    first, _, third = ([(c.name, c.outcome, c.finding) for c in each.checks] for each in found)
    assert first == third


@pytest.mark.prove
def test_a_learner_saves_and_sees(tmp_path: Path) -> None:
    """The real command, a real save, the verdict in its output; Ctrl-C ends it."""
    write(started(FIRST), tmp_path)
    command = [sys.executable, "-m", "headwater", "grade", "1", "--watch", "--json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert _verdict(running.stdout) is False
            write(stage(1), tmp_path)
            assert _verdict(running.stdout) is True
            running.send_signal(signal.SIGINT)
            assert running.wait(20) == 0
        finally:
            running.kill()


def _verdict(lines: Iterator[str]) -> bool:
    """What the next record says."""
    text = ""
    for line in lines:
        text += line
        if line == "}\n":
            break
    return bool(json.loads(text)["passed"])
