"""`headwater mcp`: the project's tools for an assistant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headwater.cli.project import project_root, usage_error

if TYPE_CHECKING:
    from headwater.mcp.link import Link

_HOST = "127.0.0.1"


def mcp(
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Run queries alone; change nothing.")
    ] = False,
    disable_tools: Annotated[
        str, typer.Option(metavar="NAMES", help="Tools to leave out, with commas between.")
    ] = "",
    http: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=1, max=65535, help="Serve http://127.0.0.1:PORT/mcp, not stdio."
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(envvar="HEADWATER_URL", help="The server; the project's own if not given."),
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Take a server on another machine too.")
    ] = False,
) -> None:
    """Serve the project's tools to an assistant, by MCP on standard input and output."""
    link = _link(url, allow_remote=allow_remote)
    from mcp.server.mcpserver.exceptions import ToolError

    from headwater.mcp.server import build

    without = [name.strip() for name in disable_tools.split(",") if name.strip()]
    try:
        server = build(link, read_only=read_only, without=without)
    except ToolError as error:
        raise usage_error(f"--disable-tools: {error}") from None
    if http is None:
        server.run()
    else:
        typer.echo(f"MCP at http://{_HOST}:{http}/mcp, until Ctrl-C", err=True)
        server.run("streamable-http", host=_HOST, port=http)


def _link(url: str | None, *, allow_remote: bool) -> Link:
    try:
        from headwater.mcp.link import Link, is_loopback
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        typer.echo(
            "headwater: `headwater mcp` needs the MCP SDK, which is not installed.\n"
            "  Fix:  pip install 'headwater[mcp]'",
            err=True,
        )
        raise typer.Exit(1) from None
    if url is not None and not allow_remote and not is_loopback(url):
        raise usage_error(
            f"{url} is not on this machine. An assistant's tools reach its data and run its "
            "functions; if that is what you want, say --allow-remote"
        )
    return Link(project_root(), url)
