"""The command line: one file per command; those of other packages join by an entry-point group.

A command's file is imported when the command is called: `headwater env list` need not wait for the
server to load.
"""

from __future__ import annotations

import sys
from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

GROUP = "headwater.commands"

COMMANDS = {
    "dev": "serve:dev",
    "serve": "serve:serve",
    "run": "run:run",
    "token": "token:token",
    "env": "env:app",
    "logs": "logs:logs",
    "watch": "watch:watch",
    "data": "data:data",
    "export": "export:export",
    "import": "import_:import_",
    "deploy": "deploy:deploy",
    "check": "check:check",
    "codegen": "codegen:codegen",
    "mcp": "mcp:mcp",
    "explain": "explain:explain",
}
"""Each command, with its file and the function, or the group of commands, in it.

A file is one of this folder, or a module by its whole name: so others join.
"""


class _Commands(UserDict[str, Any]):
    """Commands by name; one that is still a place in a file is loaded when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        found = self.data[name]
        if isinstance(found, str):
            found = self.data[name] = _loaded(name, found)
        return found


def _loaded(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    path = module if "." in module else f"{__package__}.{module}"
    target = getattr(import_module(path), attribute)
    if not isinstance(target, typer.Typer):
        function, target = target, typer.Typer(add_completion=False)
        target.command(name)(function)
    made = typer.main.get_command(target)
    made.name = name
    return made


class _Program(TyperGroup):
    """The program: its own commands and those that others have joined."""

    def __init__(self, *, commands: Any = None, **options: Any) -> None:
        joined: Mapping[str, Any] = commands or {}
        super().__init__(commands={}, **options)
        self.commands = _Commands({**COMMANDS, **joined})


app = typer.Typer(
    name="headwater",
    cls=_Program,
    help="Reactive backends in Python.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold secrets
    rich_markup_mode="rich",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"headwater {version('headwater')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Reactive backends in Python."""


def run() -> None:
    """Runs the command that the arguments name."""
    if not (sys.argv[1:] and (sys.argv[1] in COMMANDS or sys.argv[1] == "--version")):
        for entry in entry_points(group=GROUP):
            entry.load()(app)
    app()
