"""`headwater import FILE`: documents from a snapshot zip, JSON lines, a JSON array or CSV."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import orjson
import typer

from headwater.cli.admin import Deployment
from headwater.cli.project import usage_error
from headwater.cli.reach import Show, chunks, events, fail, limits, opened, progress, reach
from headwater.clock import Clock
from headwater.errors import HeadwaterError, NoServer
from headwater.settings import STATE

if TYPE_CHECKING:
    from headwater.data.importing import Mode


def import_(
    file: Annotated[Path, typer.Argument(help="A .zip, .jsonl, .json or .csv file.")],
    table: Annotated[
        str | None, typer.Option(help="Where the rows go; of a zip, the only table to take.")
    ] = None,
    append: Annotated[bool, typer.Option("--append", help="Add to what is there.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of what is in the file's tables.")
    ] = False,
    replace_all: Annotated[
        bool, typer.Option("--replace-all", help="Empty all other tables too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before deleting.")] = False,
    format_: Annotated[
        str | None,
        typer.Option("--format", help="zip, jsonl, json or csv."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
    url: Annotated[
        str | None, typer.Option(help="The server; the project's own if not given.")
    ] = None,
) -> None:
    """Import documents: all of the file, or nothing of it."""
    if not file.is_file():
        raise usage_error(f"there is no file {file}")
    if append + replace + replace_all > 1:
        raise usage_error("--append, --replace and --replace-all exclude each other")
    mode = "append" if append else "replace" if replace else "empty"
    mode = "replace-all" if replace_all else mode
    job = _Job(file, _format(file, format_, table), table, cast("Mode", mode))
    place = reach(url)
    if not yes:
        job.confirm(place)
    with progress() as show:
        summary = job.send(place, show) if isinstance(place, Deployment) else job.do(place, show)
    _print(summary, as_json=as_json)


class _Job:
    def __init__(self, file: Path, format_: str, table: str | None, mode: Mode) -> None:
        self.file, self.format, self.table, self.mode = file, format_, table, mode

    def confirm(self, place: Deployment | Path) -> None:
        """Asks before documents are deleted."""
        if not self.mode.startswith("replace"):
            return
        wanted = None if self.mode == "replace-all" else set(self._tables())
        lost = {
            name: count
            for name, count in _counts(place).items()
            if count and (name in wanted if wanted is not None else not name.startswith("_"))
        }
        if lost:
            listed = ", ".join(f"{count:,} of {name}" for name, count in sorted(lost.items()))
            typer.confirm(f"This deletes documents: {listed}. Go on?", abort=True, err=True)

    def _tables(self) -> list[str]:
        from headwater.data.sources import Source

        try:
            source = Source(self.file, self.format, self.table, limits())
        except HeadwaterError as error:
            fail(error)
        source.close()
        return source.tables

    def send(self, place: Deployment, show: Show) -> dict[str, Any]:
        """Lets the running server do it."""
        query = {"format": self.format, "mode": self.mode, "name": self.file.name}
        query |= {} if self.table is None else {"table": self.table}
        content = chunks(self.file, show)
        summary: dict[str, Any] | None = None
        try:
            with place.streaming("POST", _IMPORT, query=query, content=content) as answer:
                for event in events(answer.iter_lines()):
                    if "error" in event:
                        typer.echo(f"headwater: {event['error']}", err=True)
                        raise typer.Exit(1)
                    summary = event.get("done", summary)
                    show(str(event.get("progress", "done")), 0, 0)
        except NoServer as error:
            fail(error)
        if summary is None:
            typer.echo("headwater: the server ended before the import did; import again", err=True)
            raise typer.Exit(1)
        return summary

    def do(self, root: Path, show: Show) -> dict[str, Any]:
        """Does it here, on the file of a project that is not served."""
        from headwater.data.importing import import_file
        from headwater.data.sources import Source

        (root / STATE).mkdir(exist_ok=True)
        with (
            opened(root, backend=True) as project,
            tempfile.TemporaryDirectory(prefix="import-", dir=root / STATE) as folder,
        ):
            source = Source(self.file, self.format, self.table, limits())
            try:
                done = import_file(
                    project.ask, source, self.mode, Path(folder), Clock(),
                    files=project.files, tell=show,
                )  # fmt: skip
            finally:
                source.close()
        return asdict(done)


_IMPORT = "/api/data/import"


def _format(file: Path, given: str | None, table: str | None) -> str:
    from headwater.data.sources import FORMATS

    found = given or FORMATS.get(file.suffix.lower())
    if found is None or found not in FORMATS.values():
        names = ", ".join(FORMATS.values())
        raise usage_error(f"{file.name}: the name does not say which format; --format {names}")
    if table is None and found != "zip":
        raise usage_error(f"where do the rows of {file.name} go? Say --table NAME")
    return found


def _counts(place: Deployment | Path) -> dict[str, int]:
    from headwater.data import browse

    if isinstance(place, Deployment):
        looks = place.ask("GET", "/api/data/tables")["tables"]
        return {look["name"]: look["documents"] for look in looks}
    with opened(place) as project:
        return {look.name: look.documents for look in browse.tables(project.database)}


def _print(summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(summary).decode())
        return
    for table, count in summary["imported"].items():
        gone = summary["removed"].get(table, 0)
        rest = f", in place of {gone:,}" if gone else ""
        typer.echo(f"{table}: {count:,} documents imported{rest}")
    for table, count in summary["removed"].items():
        if table not in summary["imported"]:
            typer.echo(f"{table}: {count:,} documents removed")
