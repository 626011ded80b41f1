"""The tasks: each lesson, as its page tells a learner to ask for it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from headwater_workshop.ai_files import write_mode
from headwater_workshop.lessons import Lesson
from headwater_workshop.mode import set_mode
from headwater_workshop.new import new_project
from headwater_workshop.progress import record_start, timestamp
from headwater_workshop.stages import started, write

_PART = "## Ask the assistant"


def prompt(lesson: Lesson) -> str:
    """What is asked for: the words on the lesson's page, and what holds afterwards."""
    part = lesson.text.split(_PART, 1)[-1].split("\n## ", 1)[0]
    asked = [line.lstrip("> ") for line in part.splitlines() if line.startswith(">")]
    goals = [f"- {objective.text}" for objective in lesson.objectives]
    return "\n".join([" ".join(asked), "", "When you are done, this holds:", *goals])


def base_project(folder: Path) -> Path:
    """A new workshop project for Claude Code, made once and copied for each run."""
    new_project(
        folder,
        name="my-app",
        start="workshop",
        frontend="none",
        assistants=["claude"],
        assistant_mode="pair",
        defaults=True,
    )
    return folder


def begin(base: Path, folder: Path, lesson: Lesson, mode: str = "pair") -> Path:
    """A copy of the project at the beginning of a lesson, in that mode."""
    shutil.copytree(base, folder)
    write(started(lesson), folder)
    record_start(folder, lesson, timestamp())
    set_mode(folder, mode)
    write_mode(folder, mode)
    if not (folder / ".venv").exists():  # hooks and commands look for headwater there
        (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return folder
