"""`headwater mode`: how assistants help in this project's lessons, and to change it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ..kit import KitError
from ..mode import mode_of, set_mode
from ..progress import find_project

Mode = StrEnum("Mode", ["pair", "tutor"])


def mode(
    chosen: Annotated[
        Mode | None, typer.Argument(metavar="[pair|tutor]", help="Left out: say which it is.")
    ] = None,
) -> None:
    """Say or choose how assistants help: pair writes with you, tutor leaves the code to you."""
    try:
        project = find_project()
        if chosen is None:
            typer.echo(mode_of(project))
            return
        has_claude = set_mode(project, chosen.value)
        from ..ai_files import write_mode

        write_mode(project, chosen.value)
    except KitError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(f"Mode {chosen.value}: written to .headwater/mode and AGENTS.md.")
    if has_claude:
        typer.echo("Claude Code reads its output style at the start: /clear, or a new session.")
