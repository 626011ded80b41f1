"""`headwater deploy`: what new code would meet in a deployment; then that it serves the code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
import typer
from rich.console import Console
from rich.table import Table

from headwater.cli.admin import Deployment
from headwater.cli.project import project_root
from headwater.cli.reach import Show, events, fail, opened, progress, reach
from headwater.errors import HeadwaterError

if TYPE_CHECKING:
    from headwater.core.manifest import Manifest

State = Literal["ok", "note", "refused"]
_MARKS: Mapping[State, str] = {
    "ok": "[green]✓[/]",
    "note": "[yellow]![/]",
    "refused": "[red]✗[/]",
}


@dataclass(frozen=True)
class Line:
    """One thing that was looked at.

    Attributes:
        what: its name.
        state: fine, good to know, or a reason not to serve the code.
        text: what was found, and how to mend it.
    """

    what: str
    state: State
    text: str


@dataclass(frozen=True)
class _Code:
    """The project's backend as it is here."""

    manifest: Manifest
    variables: list[str]
    mark: str


def deploy(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look only; the server goes on as it is.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: Annotated[
        str | None, typer.Option(help="The server; the project's own if not given.")
    ] = None,
) -> None:
    """Look at what the project's code would meet in its deployment, then let it serve that code."""
    root = project_root()
    place = reach(url)
    try:
        code = _loaded(root)
    except HeadwaterError as error:
        fail(error)
    with progress() as show:
        found = _asked(place, code) if isinstance(place, Deployment) else _at_rest(root, code, show)
    lines = [_rules(root), *_lines(found, code, place, dry_run=dry_run)]
    refused = any(line.state == "refused" for line in lines)
    if not as_json:
        _print(lines, place)
    rolled = not (refused or dry_run) and isinstance(place, Deployment) and _roll(place)
    if as_json:
        report = {"preflight": [asdict(line) for line in lines], "rolled": rolled}
        typer.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(_end(place, refused=refused, dry_run=dry_run))
    raise typer.Exit(1 if refused else 0)


def _loaded(root: Path) -> _Code:
    from headwater.deploy_api import code_mark
    from headwater.environment import Environment, declared_variables
    from headwater.loader import load

    environment = Environment(root, dev=True)
    environment.apply()
    try:
        return _Code(load(root).manifest, declared_variables(needed=True), code_mark(root))
    finally:
        environment.undo()


def _asked(place: Deployment, code: _Code) -> Mapping[str, Any]:
    body = {"manifest": code.manifest.to_json(), "variables": code.variables}
    answer: Mapping[str, Any] = place.ask("POST", "/api/v1/preflight", body=body)
    return answer


def _at_rest(root: Path, code: _Code, show: Show) -> Mapping[str, Any]:
    """The same, of a database that no server has open."""
    from headwater.data.preflight import look_ahead
    from headwater.environment import Environment

    with opened(root) as project:
        found = look_ahead(project.ask, code.manifest, show).to_json()
    missing = Environment(root).missing(code.variables)
    return {**found, "code": code.mark, "missingVariables": missing}


def _rules(root: Path) -> Line:
    from headwater.check import check_project

    found = check_project(root)
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        text = f"{errors[0].render().splitlines()[0]}; {len(errors)} in all: headwater check"
        return Line("rules", "refused", text)
    if found:
        return Line("rules", "note", f"{len(found)} warnings: headwater check")
    return Line("rules", "ok", "no findings")


def _lines(
    found: Mapping[str, Any], code: _Code, place: Deployment | Path, *, dry_run: bool
) -> Iterator[Line]:
    if found["code"] == code.mark:
        yield Line("code", "ok", f"{code.mark}, {len(code.manifest.functions)} functions")
    else:
        where = place.url if isinstance(place, Deployment) else place
        text = f"the folder that {where} serves holds other code; bring this code there first"
        yield Line("code", "note" if dry_run else "refused", text)
    yield _settings(found["missingVariables"])
    yield _documents(found)
    yield _indexes(found)
    yield from _functions(found)


def _settings(missing: list[str]) -> Line:
    if not missing:
        return Line("settings", "ok", "no variable is missing")
    text = f"missing: {', '.join(missing)}. Set each: headwater env set {missing[0]} VALUE"
    return Line("settings", "refused", text)


def _documents(found: Mapping[str, Any]) -> Line:
    misfits = list(found["misfits"])
    if not misfits:
        return Line("documents", "ok", f"{found['checked']:,} had to be checked, all fit")
    number = len(misfits) + int(found["more_misfits"])
    text = "\n".join([f"{number:,} stored documents do not fit the new schema:", *misfits])
    fix = "Make the field optional, change the documents by a mutation, then require it."
    return Line("documents", "refused", f"{text}\n{fix}")


def _indexes(found: Mapping[str, Any]) -> Line:
    parts = [
        (found["indexes"], "filled first, while the old code serves"),
        (found["staged"], "filled afterwards (staged)"),
        (found["dropped"], "dropped"),
    ]
    told = [f"{', '.join(names)}: {what}" for names, what in parts if names]
    return Line("indexes", "note" if told else "ok", "\n".join(told) or "as they are")


def _functions(found: Mapping[str, Any]) -> Iterator[Line]:
    told: list[str] = []
    if found["gone"]:
        told.append(f"no longer there for clients: {', '.join(found['gone'])}")
    if found["orphans"]:
        names = ", ".join(found["orphans"])
        told.append(f"no longer there for calls that are scheduled, which will fail: {names}")
    yield Line("functions", "note" if told else "ok", "\n".join(told) or "none is taken away")


def _print(lines: list[Line], place: Deployment | Path) -> None:
    table = Table(box=None, show_header=False, padding=(0, 1))
    for line in lines:
        table.add_row(_MARKS[line.state], line.what, line.text)
    where = place.url if isinstance(place, Deployment) else f"{place} (no server runs)"
    console = Console(highlight=False)
    console.print(f"[bold]Preflight[/] of {where}")
    console.print(table)


def _roll(place: Deployment) -> bool:
    """Lets the server load its backend anew; True when it serves.

    Raises:
        typer.Exit: it goes on with the old one; says why.
    """
    with progress() as show, place.streaming("POST", "/api/v1/roll", query={}) as answer:
        for event in events(answer.iter_lines()):
            show(event.get("waitsFor") or "loading", 0, 0)
            if event.get("serves") is False:
                typer.echo(f"headwater: not deployed: {event['problem']}", err=True)
                raise typer.Exit(1)
    return True


def _end(place: Deployment | Path, *, refused: bool, dry_run: bool) -> str:
    if refused:
        return "Not deployed: mend what is marked ✗. What serves now goes on."
    if not isinstance(place, Deployment):
        return "Ready: the next `headwater serve` here serves this code."
    return "Ready: `headwater deploy` would serve it." if dry_run else f"{place.url} serves it."
