"""The workshop's commands, joined to `headwater` by its entry-point group.

Each command's own module is imported only when the command is called, so that `headwater dev`
starts without them, and a hook answers at once.
"""

from __future__ import annotations

import typer

from headwater.cli import COMMANDS

PLACES = {
    "new": "headwater_workshop.cli.new:new",
    "lesson": "headwater_workshop.cli.lesson:app",
    "solution": "headwater_workshop.cli.lesson:reveal",
    "mode": "headwater_workshop.cli.mode:mode",
    "grade": "headwater_workshop.cli.grade:grade",
    "cohort": "headwater_workshop.cli.cohort:cohort",
    "classroom": "headwater_workshop.cli.classroom:app",
    "ai-files": "headwater_workshop.cli.ai_files:app",
    "doctor": "headwater_workshop.cli.doctor:doctor",
    "hook": "headwater_workshop.cli.hook:hook",
    "wheelhouse": "headwater_workshop.cli.wheelhouse:wheelhouse",
}
"""Each command, with its module and the function, or the group of commands, in it."""


def register(app: typer.Typer) -> None:
    """Join the workshop's commands to the headwater command line."""
    COMMANDS.update(PLACES)
