"""`headwater codegen`: TypeScript types of the backend for its frontend."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headwater.cli.project import project_root
from headwater.codegen import output_folder, shown, stale, write
from headwater.core.manifest import Manifest
from headwater.errors import HeadwaterError
from headwater.loader import load


def codegen(
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="The folder to write into; see the guide for where it is if not given.",
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if a file is out of date.")
    ] = False,
) -> None:
    """Write TypeScript types of the backend's functions and tables for its frontend."""
    root = project_root()
    try:
        manifest = load(root).manifest
        folder = out.absolute() if out is not None else output_folder(root)
        told = _check(folder, root, manifest) if check else _write(folder, root, manifest)
    except HeadwaterError as error:
        typer.echo(f"headwater codegen: {error.message}", err=True)
        raise typer.Exit(1) from None
    typer.echo(told)


def _check(folder: Path, root: Path, manifest: Manifest) -> str:
    old = ", ".join(stale(folder, manifest))
    if not old:
        return f"{shown(folder, root)} is up to date"
    typer.echo(f"{shown(folder, root)}: out of date: {old}. Run: headwater codegen", err=True)
    raise typer.Exit(1)


def _write(folder: Path, root: Path, manifest: Manifest) -> str:
    written = write(folder, manifest)
    return f"{shown(folder, root)}: {', '.join(written) or 'nothing to change'}"
