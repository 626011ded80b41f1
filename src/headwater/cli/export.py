"""`headwater export`: a snapshot zip of all tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import orjson
import typer

from headwater.cli.admin import Deployment
from headwater.cli.project import usage_error
from headwater.cli.reach import Show, opened, progress, reach
from headwater.settings import STATE


def export(
    path: Annotated[Path, typer.Option(help="The zip file to write.")],
    include_file_storage: Annotated[
        bool, typer.Option("--include-file-storage", help="Take stored files too.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was written as JSON.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="The server; the project's own if not given.")
    ] = None,
) -> None:
    """Write a snapshot of all tables, in Convex's format; the server goes on meanwhile."""
    if path.is_dir():
        raise usage_error(f"{path} is a folder; give the name of a file: --path {path}/backup.zip")
    place = reach(url)
    part = path.with_name(f"{path.name}.part")
    try:
        with progress() as show:
            if isinstance(place, Deployment):
                _download(place, part, show, files=include_file_storage)
            else:
                _write(place, part, show, files=include_file_storage)
        part.replace(path)
    except OSError as error:
        raise usage_error(f"{path} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    size = path.stat().st_size
    told = orjson.dumps({"path": str(path), "bytes": size}).decode()
    typer.echo(told if as_json else f"wrote {path} ({size:,} bytes)")


def _download(place: Deployment, part: Path, show: Show, *, files: bool) -> None:
    query = {"includeStorage": "true" if files else "false"}
    with place.streaming("GET", "/api/data/export", query=query) as answer:
        _keep(part, answer.iter_bytes(), show)


def _write(root: Path, part: Path, show: Show, *, files: bool) -> None:
    from headwater.data.exporting import export as pieces

    with opened(root) as project:
        storage = project.database.storage
        _keep(part, pieces(storage, root / STATE, project.files if files else None), show)


def _keep(part: Path, pieces: Iterator[bytes], show: Show) -> None:
    written = 0
    with part.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            written += len(piece)
            show("bytes", written, 0)
