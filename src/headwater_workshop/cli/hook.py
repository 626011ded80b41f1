"""`headwater hook EVENT`: answers a hook of Claude Code. Payload in, answer out, both JSON."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from ..hooks import EVENTS, answer


def hook(
    event: Annotated[str, typer.Argument(metavar="EVENT", help=", ".join(EVENTS))],
) -> None:
    """Answer a hook of Claude Code, as .claude/settings.json asks; the payload is standard input.

    It exits with 0 also when a tool is refused: the answer says so, and an exit code would not.
    """
    if event not in EVENTS:
        typer.echo(f"headwater hook: no event {event!r}; one of {', '.join(EVENTS)}", err=True)
        raise typer.Exit(2)
    told = answer(event, sys.stdin.buffer.read())
    if told:
        typer.echo(json.dumps(told))
