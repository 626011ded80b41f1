"""`headwater ai-files status|update|remove`: what headwater writes for assistants.

Blocks of AGENTS.md, between markers, and for Claude Code the files of `.claude/`, whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ..ai_files import State, removed, states, updated
from ..kit import KitError
from ..managed import file_states, remove_files, update_files
from ..mode import mode_of
from ..progress import find_project

app = typer.Typer(
    add_completion=False,
    help="What headwater writes for assistants: parts of AGENTS.md, and .claude/.",
)

Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if there is a need.")]


@app.command()
def status(
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 unless all is up to date.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Say how each block and file stands to what this headwater would write."""
    with _told():
        path, mode = _here()
        found = states(_read(path), mode, str(path))
        files = file_states(path.parent)
    if as_json:
        facts = {"file": path.name, "mode": mode, "blocks": found, "files": files}
        typer.echo(json.dumps(facts, indent=2))
    else:
        for name, state in found.items():
            shown = f"{name} ({mode})" if name == "mode" else name
            typer.echo(f"{path.name}  {shown}: {state}")
        for name, state in files.items():
            typer.echo(f"{name}: {state}")
    every = {*found.values(), *files.values()}
    raise typer.Exit(int(check and every != {State.CURRENT}))


@app.command()
def update(
    check: Check = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over what was changed by hand too.")
    ] = False,
) -> None:
    """Write blocks and files as they are now; what was changed by hand is left and told."""
    with _told():
        path, mode = _here()
        old = _read(path)
        new = updated(old, mode, force=force, where=str(path))
        _put(path, old, new, check)
        by_hand = [name for name, each in states(new, mode).items() if each is State.EDITED]
        files = update_files(path.parent, force=force, check=check)
        kept = [name for name, each in file_states(path.parent).items() if each is State.EDITED]
    _tell_files(files, "written", check)
    for name in by_hand:
        typer.echo(
            f"{path.name}  {name}: {State.EDITED}, so it is left as it is\n"
            "  Fix: move your lines out of the markers, then headwater ai-files update --force",
            err=True,
        )
    for name in [] if force else kept:
        typer.echo(
            f"{name}: {State.EDITED}, so it is left as it is\n"
            "  Fix: keep it so, or let headwater write it: headwater ai-files update --force",
            err=True,
        )
    raise typer.Exit(int(bool(by_hand) or (check and (new != old or bool(files)))))


@app.command()
def remove(check: Check = False) -> None:
    """Take blocks and files out; what is yours, and what was changed by hand, stays."""
    with _told():
        path, _ = _here()
        old = _read(path)
        new = removed(old, str(path)) if old else old
        _put(path, old, new, check)
        files = remove_files(path.parent, check=check)
    _tell_files(files, "removed", check)
    raise typer.Exit(int(check and (new != old or bool(files))))


def _tell_files(names: list[str], done: str, check: bool) -> None:
    for name in names:
        typer.echo(f"{name}: {'would be' if check else 'is'} {done}")


def _here() -> tuple[Path, str]:
    project = find_project()
    return project / "AGENTS.md", mode_of(project)


def _read(path: Path) -> str:
    """The file's text with plain line ends; empty when there is no file."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _put(path: Path, old: str, new: str, check: bool) -> None:
    if new == old:
        typer.echo(f"{path.name}: nothing to do")
        return
    typer.echo(f"{path.name}: {'would be' if check else 'is'} written")
    if not check:
        # Line ends stay as they are in the file: a learner on Windows sees no other change.
        crlf = path.is_file() and b"\r\n" in path.read_bytes()
        path.write_text(new, encoding="utf-8", newline="\r\n" if crlf else "\n")


@contextmanager
def _told() -> Iterator[None]:
    """Say an error as what, where and what next; exit with 2."""
    try:
        yield
    except KitError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
