"""`headwater wheelhouse DIR`: everything that a room without network needs, in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..kit import KitError

_YOURS: Sequence[str | None] = (None,)


class WithNpm(StrEnum):
    """A frontend that has packages of its own."""

    react = "react"


def wheelhouse(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to fill, or to go on.")],
    platform: Annotated[
        list[str] | None,
        typer.Option(help="A kind of machine, as in windows-x86_64; again for more. Else yours."),
    ] = None,
    python: Annotated[
        list[str] | None,
        typer.Option(help="A version of Python, as in 3.12; again for more. Else yours."),
    ] = None,
    frontend: Annotated[
        WithNpm | None, typer.Option(help="The npm packages of this frontend too.")
    ] = None,
) -> None:
    """Fill a folder with what a room without network needs; what is there is not fetched again."""
    from ..offline.targets import target
    from ..offline.wheelhouse import fill

    console = Console(stderr=True)
    columns = (TextColumn("wheels"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        kinds, versions = platform or _YOURS, python or _YOURS
        targets = [target(*each) for each in product(kinds, versions)]
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("wheels", total=None)
            filled = fill(
                folder,
                targets,
                frontend=frontend.value if frontend else None,
                progress=lambda done, of: bar.update(task, completed=done, total=of),
            )
    except KitError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{folder} is full for {', '.join(map(str, targets))}")
    typer.echo(f"  {filled.wheels} wheels, {filled.fetched} of them fetched now, and headwater")
    typer.echo(f"  {folder / 'README.md'} says what to do with it.")
