"""`headwater token`: a development identity."""

from __future__ import annotations

from typing import Annotated

import typer

from headwater.auth import DEFAULT_TOKEN_S, Auth
from headwater.cli.project import project_root, server_takes_dev_tokens, usage_error
from headwater.clock import Clock
from headwater.settings import STATE


def token(
    subject: Annotated[str, typer.Option(help="Who: the identity's subject.")],
    name: Annotated[str | None, typer.Option(help="A name claim.")] = None,
    email: Annotated[str | None, typer.Option(help="An email claim.")] = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long it is good for.")
    ] = DEFAULT_TOKEN_S,
) -> None:
    """Print a token that signs somebody in at this project's server."""
    root = project_root()
    if not server_takes_dev_tokens(root):
        raise usage_error(
            "this project's server runs in production (headwater serve) and takes no development "
            "tokens. Start it with `headwater dev`, or with `headwater serve --dev-tokens`"
        )
    claims = {key: value for key, value in (("name", name), ("email", email)) if value is not None}
    auth = Auth(root / STATE, Clock())
    typer.echo(auth.token(subject, seconds, **claims))
