"""A command's way to the data: through the running server, or on the file when none runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from headwater.cli.admin import Deployment
from headwater.cli.project import project_root, usage_error
from headwater.errors import HeadwaterError, NoServer
from headwater.settings import Limits, limits_from_environment

if TYPE_CHECKING:
    from headwater.data.at_rest import AtRest

Show = Callable[[str, int, int], None]
_CHUNK = 2**18


def reach(url: str | None) -> Deployment | Path:
    """The server, or the project's folder when it has none that runs."""
    root = project_root()
    deployment = Deployment(root, url)
    try:
        deployment.ask("GET", "/api/data/tables")
    except NoServer as error:
        if deployment.elsewhere:
            fail(error)
        return root
    return deployment


@contextmanager
def opened(root: Path, *, backend: bool = False) -> Iterator[AtRest]:
    """The project's database, for this command alone.

    Raises:
        typer.Exit: it cannot be opened, or what is done with it was refused; both are told.
    """
    from headwater.data.at_rest import at_rest

    try:
        with at_rest(root, limits(), backend=backend) as found:
            yield found
    except HeadwaterError as error:
        fail(error)


def limits() -> Limits:
    """The limits of this environment."""
    try:
        return limits_from_environment()
    except ValueError as error:
        raise usage_error(str(error)) from None


def fail(error: HeadwaterError) -> NoReturn:
    """Says what went wrong; exit code 1."""
    typer.echo(f"headwater: {error.message}", err=True)
    raise typer.Exit(1)


@contextmanager
def progress() -> Iterator[Show]:
    """A bar for whoever watches; nothing where nobody does."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    bar = Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal,
        transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("starting", total=None)

        def show(what: str, done: int, total: int) -> None:
            counted = what if total or not done else f"{what}: {done:,}"
            bar.update(task, description=counted, completed=done, total=total or None)

        yield show


def chunks(path: Path, show: Show) -> Iterator[bytes]:
    """A file on its way to the server."""
    total, sent = path.stat().st_size, 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
            sent += len(chunk)
            show("sending", sent, total)


def events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """What a server tells of long work, line by line."""
    for line in lines:
        if line.strip():
            yield orjson.loads(line)
