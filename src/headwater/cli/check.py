"""`headwater check`: findings of the static rules, for people or programs; some of them mended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from headwater.check import check_project, repair_project
from headwater.check.sarif import to_sarif
from headwater.rules import Finding


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders to report on; the whole backend if none."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings as JSON.")] = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Print them as SARIF 2.1.0.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what needs no judgement.")] = False,
) -> None:
    """Check the backend against the rules, without running it."""
    wanted = [path.absolute() for path in paths or []]
    root = _project_root(wanted)
    if fix:
        for diff in repair_project(root, lambda path: _is_wanted(root / path, wanted)):
            typer.echo(diff, err=as_json or as_sarif)
    found = [f for f in check_project(root) if _is_wanted(root / f.path, wanted)]
    if as_json:
        typer.echo(json.dumps([finding.to_json() for finding in found], indent=2))
    elif as_sarif:
        typer.echo(json.dumps(to_sarif(found), indent=2))
    else:
        _print(found)
    raise typer.Exit(1 if found else 0)


def _project_root(wanted: Sequence[Path]) -> Path:
    """The nearest folder, from the first path upwards, that holds a backend.

    Raises:
        typer.Exit: with code 2, when a path or the backend is not there.
    """
    for path in wanted:
        if not path.exists():
            raise _usage(f"{path} does not exist")
    start = wanted[0] if wanted else Path.cwd()
    for folder in (start, *start.parents):
        if (folder / "backend").is_dir() and folder.name != "backend":
            return folder
    raise _usage(f"no backend/ folder in {start} or above; run it in a project")


def _usage(problem: str) -> typer.Exit:
    typer.echo(f"headwater check: {problem}", err=True)
    return typer.Exit(2)


def _is_wanted(path: Path, wanted: Sequence[Path]) -> bool:
    resolved = path.resolve()
    return not wanted or any(resolved.is_relative_to(place.resolve()) for place in wanted)


def _print(found: Sequence[Finding]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for finding in found:
        console.print(_styled(finding), end="\n\n")
    console.print(_summary(found))


def _styled(finding: Finding) -> Text:
    text = Text(finding.render())
    text.highlight_regex(r"\AHW\d{3}", "bold yellow" if _is_mild(finding) else "bold red")
    text.highlight_regex(r"(?m)^  (What|Fix|More):", "bold")
    return text


def _summary(found: Sequence[Finding]) -> Text:
    if not found:
        return Text("No findings: every rule that can be read from the code holds.", "green")
    warnings = sum(map(_is_mild, found))
    errors = len(found) - warnings
    counts = [_count(errors, "error"), _count(warnings, "warning")]
    return Text(", ".join(filter(None, counts)), "bold")


def _is_mild(finding: Finding) -> bool:
    return finding.severity == "warning"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}" if number else ""
