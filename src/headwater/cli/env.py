"""`headwater env`: the variables of the deployment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import orjson
import typer

from headwater.cli.admin import Deployment
from headwater.cli.project import project_root, usage_error
from headwater.errors import NoServer, VariableInvalid
from headwater.variables import Variables

app = typer.Typer(
    add_completion=False,
    help="The variables of the deployment: what its backend reads as settings.",
    no_args_is_help=True,
)

_LIST, _UPDATE = "/api/v1/list_environment_variables", "/api/update_environment_variables"
_HIDDEN = "********"

Name = Annotated[str, typer.Argument(help="The variable's name, such as STRIPE_KEY.")]
Url = Annotated[str | None, typer.Option(help="The server; the project's own if not given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(
    show: Annotated[bool, typer.Option("--show", help="Print the values too.")] = False,
    as_json: AsJson = False,
    url: Url = None,
) -> None:
    """List the variables; their values are hidden unless you say --show."""
    variables = {n: v if show else _HIDDEN for n, v in _read(url).items()}
    if as_json:
        typer.echo(orjson.dumps(variables, option=orjson.OPT_INDENT_2).decode())
        return
    for name, value in variables.items():
        typer.echo(f"{name}={value}")
    if not variables:
        typer.echo("No variables are set. Set one: headwater env set NAME VALUE", err=True)


@app.command()
def get(name: Name, as_json: AsJson = False, url: Url = None) -> None:
    """Print the value of one variable."""
    variables = _read(url)
    if name not in variables:
        typer.echo(
            f"headwater: {name} is not set. Set it: headwater env set {name} VALUE", err=True
        )
        raise typer.Exit(1)
    value = variables[name]
    typer.echo(orjson.dumps({name: value}).decode() if as_json else value)


@app.command("set")
def set_(
    name: Annotated[str, typer.Argument(help="The variable's name, or NAME=VALUE.")],
    value: Annotated[
        str | None, typer.Argument(help="Its value; without, read from standard input.")
    ] = None,
    url: Url = None,
) -> None:
    """Set a variable; a running server loads its backend anew with it."""
    if value is None and "=" in name:
        name, _, value = name.partition("=")
    if value is None:
        value = _from_input(name)
    _change({name: value}, url)


@app.command()
def remove(name: Name, url: Url = None) -> None:
    """Remove a variable; a running server loads its backend anew without it."""
    if name not in _read(url):
        typer.echo(f"{name} is not set.", err=True)
        return
    _change({name: None}, url)


def _from_input(name: str) -> str:
    """A value that no shell keeps in its history."""
    if sys.stdin.isatty():
        return str(typer.prompt(f"Value of {name}", hide_input=True))
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")


def _read(url: str | None) -> dict[str, str]:
    root = project_root()
    deployment = Deployment(root, url)
    try:
        found: dict[str, str] = deployment.ask("GET", _LIST)["environmentVariables"]
        return found
    except NoServer as error:
        _must_be_ours(deployment, error)
    try:
        return Variables(root).read()
    except VariableInvalid as error:
        raise usage_error(error.message) from None


def _change(changes: Mapping[str, str | None], url: str | None) -> None:
    root = project_root()
    try:  # here first: a wrong name is told alike, whether a server runs or not
        for name, value in changes.items():
            Variables(root).check(name, value)
    except VariableInvalid as error:
        raise usage_error(error.message) from None
    done = ", ".join(f"{'removed' if v is None else 'set'} {n}" for n, v in changes.items())
    deployment = Deployment(root, url)
    listed = [{"name": name, "value": value} for name, value in changes.items()]
    try:
        answer = deployment.ask("POST", _UPDATE, body={"changes": listed})
    except NoServer as error:
        _must_be_ours(deployment, error)
        _change_file(Variables(root), changes)
        typer.echo(f"{done}; it counts from the next start")
        return
    if not answer.get("reloaded"):
        typer.echo(f"{done}; the backend does not load with it and stays as it was", err=True)
        typer.echo(str(answer.get("problem")), err=True)
        raise typer.Exit(1)
    typer.echo(f"{done}; the backend was loaded anew")


def _change_file(variables: Variables, changes: Mapping[str, str | None]) -> None:
    try:
        variables.change(changes)
    except VariableInvalid as error:
        raise usage_error(error.message) from None


def _must_be_ours(deployment: Deployment, error: NoServer) -> None:
    """Goes on when the variables are in a file here; a server elsewhere has its own."""
    if deployment.elsewhere:
        typer.echo(f"headwater: {error.message}", err=True)
        raise typer.Exit(1)
