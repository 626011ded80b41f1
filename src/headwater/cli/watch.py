"""`headwater watch QUERY ARGS`: a query of the running server, a line for each change."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
import typer

from headwater.cli.project import project_root, server_url
from headwater.cli.reach import fail
from headwater.cli.run import call_arguments
from headwater.deployment import admin_key
from headwater.errors import HeadwaterError, QueryFailed
from headwater.follow import Followed, Result, follow
from headwater.spelling import wire_path


def watch(
    query: Annotated[str, typer.Argument(help="Its path: tasks:get_tasks or tasks:getTasks.")],
    arguments: Annotated[str, typer.Argument(help="Its arguments, a JSON object.")] = "{}",
    as_subject: Annotated[
        str | None, typer.Option("--as", help="Run as this person (a development identity).")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print an object with the time of each result.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="The server; the project's own if not given.")
    ] = None,
) -> None:
    """Print a query's result, and each new one as soon as there is one, until Ctrl-C."""
    root = project_root()
    given = call_arguments(arguments)
    where = url or server_url(root)
    followed = Followed(where, admin_key(root), wire_path(query), given, as_subject)
    try:
        asyncio.run(_print(followed, as_json=as_json))
    except QueryFailed as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(1) from None
    except HeadwaterError as error:
        fail(error)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


async def _print(followed: Followed, *, as_json: bool) -> None:
    async for result in follow(followed):
        line = _timed(result) if as_json else result.value
        typer.echo(orjson.dumps(line).decode())


def _timed(result: Result) -> dict[str, Any]:
    at = datetime.fromtimestamp(result.ts / 1e9, UTC).isoformat(timespec="milliseconds")
    return {"time": at.replace("+00:00", "Z"), "value": result.value}
