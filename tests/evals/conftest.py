"""The stand-in for `claude`, on the path."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from evals.runs import judged

from headwater_workshop.grader.grader import fingerprint, read_sources
from headwater_workshop.lessons import Lesson
from headwater_workshop.report import GradeResult

Recorded = Callable[..., Path]


_GRADED: dict[tuple[str, str], GradeResult] = {}


def graded_once(project: Path, lesson: Lesson) -> GradeResult:
    """The grader's verdict; the same code is graded once for all tests."""
    key = (lesson.name, fingerprint(read_sources(project)))
    if key not in _GRADED:
        _GRADED[key] = judged(project, lesson)
    return _GRADED[key]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Puts the stand-in on the path with these recordings; gives the folder it keeps calls in."""
    folder = tmp_path / "fake"
    folder.mkdir()
    program = folder / "claude"
    script = Path(__file__).with_name("fake_claude.py")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{script}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_CLAUDE", str(folder))

    def record(*recordings: dict[str, Any]) -> Path:
        (folder / "recordings.json").write_text(json.dumps(recordings))
        return folder

    return record


def calls(folder: Path) -> list[list[str]]:
    """The arguments of each call that was made."""
    made: list[list[str]] = json.loads((folder / "calls.json").read_text())
    return made
