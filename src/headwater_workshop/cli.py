"""The workshop's commands, joined to `headwater` by its entry-point group.

Each command's own module is imported only when the command is called, so that `headwater dev`
starts without them, and a hook answers at once.
"""

from __future__ import annotations

import typer

from headwater.cli import COMMANDS

PLACES = {
    "new": "headwater_workshop.cli_new:new",
    "lesson": "headwater_workshop.cli_lesson:app",
    "solution": "headwater_workshop.cli_lesson:reveal",
    "mode": "headwater_workshop.cli_mode:mode",
    "grade": "headwater_workshop.cli_grade:grade",
    "cohort": "headwater_workshop.cli_cohort:cohort",
    "classroom": "headwater_workshop.cli_classroom:app",
    "ai-files": "headwater_workshop.cli_ai_files:app",
    "doctor": "headwater_workshop.cli_doctor:doctor",
    "hook": "headwater_workshop.cli_hook:hook",
    "wheelhouse": "headwater_workshop.cli_wheelhouse:wheelhouse",
}
"""Each command, with its module and the function, or the group of commands, in it."""


def register(app: typer.Typer) -> None:
    """Join the workshop's commands to the headwater command line."""
    COMMANDS.update(PLACES)
