"""`headwater doctor`: whether all is in order here; exits 1 when something is broken."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..doctor import Check, Level, examine
from ..kit import KitError
from ..progress import find_project

_COLOURS: dict[Level, str] = {"ok": "green", "warning": "yellow", "broken": "red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Examine this project and machine: Python, port, sandbox, assistants' files, every hook."""
    try:
        project = find_project()
    except KitError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    found = list(examine(project))
    broken = any(check.level == "broken" for check in found)
    if as_json:
        checks = [asdict(check) for check in found]
        typer.echo(json.dumps({"ok": not broken, "project": str(project), "checks": checks}))
    else:
        _show(found)
    raise typer.Exit(int(broken))


def _show(found: list[Check]) -> None:
    console = Console(soft_wrap=True)
    table = Table("", "", "", box=None, show_header=False, pad_edge=False)
    for check in found:
        colour = _COLOURS[check.level]
        table.add_row(f"[{colour}]{check.level}[/{colour}]", check.name, escape(check.says))
    console.print(table)
    for fix in dict.fromkeys(check.fix for check in found if check.fix):
        names = ", ".join(check.name for check in found if check.fix == fix)
        console.print(f"\n[bold]{names}[/bold]: {escape(fix)}")
    if all(check.level == "ok" for check in found):
        console.print("\n[green]All is in order.[/green]")
