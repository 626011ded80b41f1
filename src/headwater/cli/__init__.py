"""The command line: one file per command; those of other packages join by an entry-point group."""

from __future__ import annotations

from importlib.metadata import entry_points, version
from typing import Annotated

import typer

from headwater.cli.check import check
from headwater.cli.explain import explain
from headwater.cli.run import run
from headwater.cli.serve import dev, serve
from headwater.cli.token import token

GROUP = "headwater.commands"

app = typer.Typer(
    name="headwater",
    help="Reactive backends in Python.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold secrets
    rich_markup_mode="rich",
)
for command in (dev, serve, run, token, check, explain):
    app.command()(command)


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


def main() -> None:
    """The `headwater` command."""
    for entry in entry_points(group=GROUP):
        entry.load()(app)
    app()
