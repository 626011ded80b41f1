"""`headwater run FUNCTION ARGS`: call a function of the running server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import httpx
import orjson
import typer
from rich.console import Console

from headwater.cli.project import project_root, server_url, usage_error
from headwater.deployment import admin_key, authorization
from headwater.errors import NoServer
from headwater.spelling import integral, wire_arguments, wire_path

_EXAMPLE = """'{"title": "Milk"}'"""
_TIMEOUT_S = 660.0  # an action may take ten minutes


def run(
    function: Annotated[
        str, typer.Argument(help="Its path: tasks:create_task or tasks:createTask.")
    ],
    arguments: Annotated[str, typer.Argument(help="Its arguments, a JSON object.")] = "{}",
    as_subject: Annotated[
        str | None, typer.Option("--as", help="Run as this person (a development identity).")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="The server; the project's own if not given.")
    ] = None,
) -> None:
    """Call a query, mutation or action of the running server, internal ones too."""
    root = project_root()
    body = {"path": wire_path(function), "args": call_arguments(arguments), "format": "json"}
    answer = _post(root, url or server_url(root), body, as_subject)
    for line in answer.get("logLines", ()):
        typer.echo(line, err=True)
    if answer.get("status") != "success":
        typer.echo(answer.get("errorMessage") or answer.get("message") or str(answer), err=True)
        raise typer.Exit(1)
    text = orjson.dumps(integral(answer["value"]), option=orjson.OPT_INDENT_2).decode()
    if Console().is_terminal:
        Console().print_json(text)
    else:
        typer.echo(text)


def call_arguments(text: str) -> dict[str, Any]:
    """The arguments a command line gives, under their names on the wire.

    Raises:
        typer.Exit: they are no JSON object; says so, exit code 2.
    """
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise usage_error(
            f"the arguments are not JSON: {error}. Quote them for your shell: {_EXAMPLE}"
        ) from None
    if not isinstance(parsed, dict):
        raise usage_error(f"the arguments must be a JSON object: {_EXAMPLE}")
    return wire_arguments(parsed)


def _post(root: Path, url: str, body: dict[str, Any], subject: str | None) -> dict[str, Any]:
    try:
        answer = httpx.post(
            f"{url}/api/function",
            content=orjson.dumps(body),
            headers={
                "Authorization": authorization(admin_key(root), subject),
                "Content-Type": "application/json",
            },
            timeout=_TIMEOUT_S,
        )
    except httpx.TransportError:
        error = NoServer(url)
        typer.echo(f"headwater: {error.message}", err=True)
        raise typer.Exit(1) from None
    parsed: dict[str, Any] = answer.json()
    return parsed
