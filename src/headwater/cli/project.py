"""The project a command runs in, and the server it has."""

from __future__ import annotations

from pathlib import Path

import typer

from headwater.deployment import running_server, running_url

DEFAULT_URL = "http://127.0.0.1:3210"


def project_root() -> Path:
    """The nearest folder from here upwards that holds a `backend/`.

    Raises:
        typer.Exit: there is none; says so, exit code 2.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "backend").is_dir() and folder.name != "backend":
            return folder
    raise usage_error(
        f"no backend/ folder in {here} or above. Run this in a project's folder, or make one: "
        "headwater new my-app"
    )


def usage_error(text: str) -> typer.Exit:
    """Prints what is wrong with the call; raise the result, exit code 2."""
    typer.echo(f"headwater: {text}", err=True)
    return typer.Exit(2)


def server_url(root: Path) -> str:
    """Where the project's server answers: as it said itself, or the default address."""
    return running_url(root) or DEFAULT_URL


def server_takes_dev_tokens(root: Path) -> bool:
    """Whether the project's server, if it has one, takes development tokens."""
    return running_server(root).get("dev", True) is not False
