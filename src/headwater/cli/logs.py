"""`headwater logs`: what the running server's functions did lately."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import orjson
import typer

from headwater.cli.admin import Deployment
from headwater.cli.project import project_root
from headwater.errors import NoServer

_PATH = "/api/stream_function_logs"
_WAIT_S = 20  # the server answers sooner when there is something
_RETRY_S = 1.0


def logs(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=0, max=1000, help="How many of the newest to begin with.")
    ] = 100,
    errors: Annotated[bool, typer.Option("--errors", help="Failures only.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="The server; the project's own if not given.")
    ] = None,
) -> None:
    """Show the calls of the running server: queries, mutations, actions, and what they logged."""
    show = _json_line if as_json else _Readable()
    query = {"limit": limit, **({"errors": 1} if errors else {})}
    try:
        for entry in _entries(Deployment(project_root(), url), query, follow=follow):
            show(entry)
    except NoServer as error:
        typer.echo(f"headwater: {error.message}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _entries(
    deployment: Deployment, query: dict[str, Any], *, follow: bool
) -> Iterator[Mapping[str, Any]]:
    """The records, oldest first; when following, also those after a restart of the server."""
    answer = deployment.ask("GET", _PATH, query=query)
    yield from answer["entries"]
    while follow:
        place = {"cursor": answer["newCursor"], "epoch": answer["epoch"], "wait": _WAIT_S}
        try:
            answer = deployment.ask("GET", _PATH, query={**query, "limit": 1000, **place})
        except NoServer:
            time.sleep(_RETRY_S)  # it is being started anew, most likely
            continue
        if answer["missed"]:
            typer.echo(f"{answer['missed']} records came faster than they were shown", err=True)
        yield from answer["entries"]


def _json_line(entry: Mapping[str, Any]) -> None:
    typer.echo(orjson.dumps(entry).decode())


class _Readable:
    """Prints records for people, with colour in a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False, soft_wrap=True)

    def __call__(self, entry: Mapping[str, Any]) -> None:
        from headwater.terminal import told

        for line in told(entry, time=True):
            self._console.print(line)
