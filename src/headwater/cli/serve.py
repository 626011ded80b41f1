"""`headwater dev` and `headwater serve`."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import replace
from typing import Annotated

import typer

from headwater.cli.project import project_root, usage_error
from headwater.options import ServerOptions
from headwater.settings import Limits, guards_from_environment, limits_from_environment
from headwater.supervisor import Supervisor, listen

Host = Annotated[str, typer.Option(help="Address to bind; loopback unless you say otherwise.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")]
SitePort = Annotated[
    int | None,
    typer.Option(
        min=0, max=65535, help="Port of the backend's HTTP routes; the next one by default."
    ),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        envvar="HEADWATER_ALLOW_HOST", help="A further name this server is reached by (Host)."
    ),
]
AllowOrigin = Annotated[
    list[str] | None,
    typer.Option(envvar="HEADWATER_ALLOW_ORIGIN", help="A further web origin that may call, or *."),
]
DevTokens = Annotated[
    bool,
    typer.Option(
        "--dev-tokens",
        envvar="HEADWATER_DEV_TOKENS",
        help="Take development tokens (headwater token) here too; not where strangers reach it.",
    ),
]


ShowErrors = Annotated[
    bool,
    typer.Option("--show-errors", help="Tell clients messages, traces and log lines, as dev does."),
]


def dev(
    host: Host = "127.0.0.1",
    port: Port = 3210,
    site_port: SitePort = None,
    allow_host: AllowHost = None,
    allow_origin: AllowOrigin = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show every call, with what it read and wrote.")
    ] = False,
) -> None:
    """Serve the project and reload its backend whenever you save."""
    options = ServerOptions(project_root(), host, port, True, allow_host or [], allow_origin or [])
    _supervise(replace(options, site_port=site_port, verbose=verbose))


def serve(
    host: Host = "127.0.0.1",
    port: Port = 3210,
    site_port: SitePort = None,
    allow_host: AllowHost = None,
    allow_origin: AllowOrigin = None,
    show_errors: ShowErrors = False,
    dev_tokens: DevTokens = False,
) -> None:
    """Serve the project as it is; of errors clients are told a request id, and AppError's data."""
    options = ServerOptions(project_root(), host, port, False, allow_host or [], allow_origin or [])
    options = replace(options, show_errors=show_errors, dev_tokens=dev_tokens)
    _supervise(replace(options, site_port=site_port))


def _supervise(options: ServerOptions) -> None:
    from headwater.process import encode_options
    from headwater.process import serve as serve_here

    limits = _limits()
    sockets = _listen(options)
    if os.name != "posix":  # a socket cannot be handed to another process there
        raise typer.Exit(serve_here(options, sockets))
    command = [sys.executable, "-m", "headwater.process", encode_options(options)]
    supervisor = Supervisor(
        command, sockets, lambda text: typer.echo(text, err=True), limits.silent_server_s
    )
    raise typer.Exit(supervisor.run())


def _listen(options: ServerOptions) -> list[socket.socket]:
    """The sockets of the API and of the site. A port nobody asked for may be another one."""
    api = _bound(options.host, options.port, "--port")
    port = api.getsockname()[1]
    if options.site_port is not None or options.port == 0:
        return [api, _bound(options.host, options.site_port or 0, "--site-port")]
    try:
        return [api, listen(options.host, port + 1)]
    except OSError as error:
        typer.echo(f"port {port + 1} cannot be had for HTTP routes: {error.strerror}", err=True)
        return [api, listen(options.host, 0)]


def _bound(host: str, port: int, option: str) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        raise usage_error(
            f"cannot listen on {host}:{port}: {error.strerror}. Is a server already running "
            f"there? Stop it, or give another {option}"
        ) from None


def _limits() -> Limits:
    try:
        guards_from_environment(dev=False)  # what it says is read by the server; what is wrong here
        return limits_from_environment()
    except ValueError as error:
        raise usage_error(str(error)) from None
