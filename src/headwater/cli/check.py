"""`headwater check`: findings of the static rules, for people or programs; some of them mended."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headwater.cli.checking import UsageError, checked


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders to report on; the whole backend if none."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings as JSON.")] = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Print them as SARIF 2.1.0.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what needs no judgement.")] = False,
    load: Annotated[
        bool, typer.Option("--load", help="Load it too, and tell what a server would refuse.")
    ] = False,
) -> None:
    """Check the backend against the rules, without running it."""
    try:
        code = checked(paths or [], as_json, as_sarif, fix, load)
    except UsageError as error:
        typer.echo(f"headwater check: {error}", err=True)
        code = 2
    raise typer.Exit(code)
