"""`headwater new`: a project from the template."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..environments import install_steps, typed_headwater
from ..kit import KitError
from ..new import NewProject, new_project


class Start(StrEnum):
    """Where a project starts; the same choices as in copier.yml."""

    complete = "complete"
    workshop = "workshop"


class Frontend(StrEnum):
    """The page that comes with a project; the same choices as in copier.yml."""

    react = "react"
    plain = "plain"
    none = "none"


class Assistant(StrEnum):
    """An assistant that gets a file of its own; the same choices as in copier.yml."""

    claude = "claude"
    cursor = "cursor"
    copilot = "copilot"


class Mode(StrEnum):
    """What an assistant does in a lesson; the same choices as in copier.yml."""

    pair = "pair"
    tutor = "tutor"


def new(
    target: Annotated[Path, typer.Argument(help="A folder that is not there yet.", metavar="DIR")],
    name: Annotated[str | None, typer.Option(help="The project's name; else the folder's.")] = None,
    start: Annotated[Start | None, typer.Option(help="Where you start.")] = None,
    frontend: Annotated[Frontend | None, typer.Option(help="The page that comes with it.")] = None,
    assistants: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="claude, cursor, copilot with commas between; or none."),
    ] = None,
    assistant_mode: Annotated[
        Mode | None, typer.Option(help="What an assistant does in a lesson.")
    ] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="Ask nothing.")] = False,
) -> None:
    """Make a project: a backend with tests, a page, and rules for assistants."""
    try:
        project = new_project(
            target,
            name=name,
            start=start.value if start else None,
            frontend=frontend.value if frontend else None,
            assistants=None if assistants is None else _listed(assistants),
            assistant_mode=assistant_mode.value if assistant_mode else None,
            defaults=defaults,
        )
    except KitError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    _tell(target, project)


def _listed(words: str) -> list[str]:
    """The assistants of a list with commas; `none` is the empty list.

    Raises:
        typer.BadParameter: a word that names no assistant.
    """
    if words.strip() == "none":
        return []
    named = [word.strip() for word in words.split(",")]
    for word in named:
        if word not in list(Assistant):
            known = ", ".join(Assistant)
            said = f"{word!r} is not one of {known}; for no file of its own say none."
            raise typer.BadParameter(said, param_hint="--assistants")
    return [each.value for each in Assistant if each in named]


def _tell(target: Path, project: NewProject) -> None:
    typer.echo(f"{project.name} is ready in {project.folder}")
    typer.echo(f"It uses {project.requirement}")
    if project.dirty:
        typer.echo("The kit has uncommitted changes; they are in the project.")
    typer.echo("\nNext:")
    for step in (f"cd {target}", *install_steps(), f"{typed_headwater()} dev"):
        typer.echo(f"  {step}")
