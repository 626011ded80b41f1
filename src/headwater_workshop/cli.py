"""The workshop's commands, joined to `headwater` by its entry-point group.

Each command's own module is imported only when the command is called, so that `headwater dev`
starts without them.
"""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Join `new`, `lesson`, `solution`, `mode`, `grade` and others to the command line."""
    from headwater_workshop import (
        cli_ai_files,
        cli_grade,
        cli_lesson,
        cli_mode,
        cli_new,
        cli_wheelhouse,
    )

    cli_new.register(app)
    app.add_typer(cli_lesson.app, name="lesson")
    app.command("solution")(cli_lesson.reveal)
    cli_mode.register(app)
    cli_grade.register(app)
    app.add_typer(cli_ai_files.app, name="ai-files")
    cli_wheelhouse.register(app)
