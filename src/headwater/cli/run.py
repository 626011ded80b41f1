"""`headwater run FUNCTION ARGS`: call a function of the running server."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Any

import httpx
import orjson
import typer
from rich.console import Console

from headwater.auth import Auth
from headwater.cli.project import project_root, server_url, usage_error
from headwater.clock import Clock
from headwater.core.identity import DEV_ISSUER
from headwater.core.manifest import canonical_path
from headwater.core.names import wire_name
from headwater.errors import NoServer
from headwater.settings import STATE

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
    body = {"path": _wire_path(function), "args": _arguments(arguments), "format": "json"}
    answer = _post(root, url or server_url(root), body, as_subject)
    for line in answer.get("logLines", ()):
        typer.echo(line, err=True)
    if answer.get("status") != "success":
        typer.echo(answer.get("errorMessage") or answer.get("message") or str(answer), err=True)
        raise typer.Exit(1)
    text = orjson.dumps(_integral(answer["value"]), option=orjson.OPT_INDENT_2).decode()
    if Console().is_terminal:
        Console().print_json(text)
    else:
        typer.echo(text)


def _wire_path(function: str) -> str:
    module, _, name = canonical_path(function.replace(".", "/")).partition(":")
    return f"{module}:{wire_name(name)}"


def _arguments(text: str) -> dict[str, Any]:
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise usage_error(
            f"the arguments are not JSON: {error}. Quote them for your shell: {_EXAMPLE}"
        ) from None
    if not isinstance(parsed, dict):
        raise usage_error(f"the arguments must be a JSON object: {_EXAMPLE}")
    return {wire_name(name): value for name, value in parsed.items()}


def _post(root: Path, url: str, body: dict[str, Any], subject: str | None) -> dict[str, Any]:
    key = Auth(root / STATE, Clock()).admin_key
    if subject is not None:
        identity = {"issuer": DEV_ISSUER, "subject": subject, "name": subject}
        key = f"{key}:{base64.b64encode(orjson.dumps(identity)).decode()}"
    try:
        answer = httpx.post(
            f"{url}/api/function",
            content=orjson.dumps(body),
            headers={"Authorization": f"Convex {key}", "Content-Type": "application/json"},
            timeout=_TIMEOUT_S,
        )
    except httpx.TransportError:
        error = NoServer(url)
        typer.echo(f"headwater: {error.message}", err=True)
        raise typer.Exit(1) from None
    parsed: dict[str, Any] = answer.json()
    return parsed


def _integral(value: Any) -> Any:
    """Numbers as people write them: 3 rather than 3.0."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {key: _integral(member) for key, member in value.items()}
    return [_integral(item) for item in value] if isinstance(value, list) else value
