"""A project's own environment, `.venv`: its `headwater` command, and how it is made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_PROGRAMS = Path(".venv", "Scripts" if os.name == "nt" else "bin")


def own_headwater(project: Path) -> Path | None:
    """The `headwater` command of a project's own environment; None where there is none."""
    for place in (Path(".venv", "bin", "headwater"), Path(".venv", "Scripts", "headwater.exe")):
        if (project / place).exists():
            return (project / place).absolute()
    return None


def install_steps() -> tuple[str, ...]:
    """The commands that make it on this machine: with uv, or where there is none with pip."""
    if shutil.which("uv"):
        python, install = "uv venv", "uv pip install"
    else:
        python = f"{'python' if os.name == 'nt' else 'python3'} -m venv .venv"
        install = f"{_PROGRAMS / 'python'} -m pip install"
    locked, own = "-r requirements.lock", "--no-deps -r requirements-headwater.txt"
    return python, f"{install} {locked}", f"{install} {own}"


def typed_headwater() -> str:
    """How `headwater` is typed in a project on this machine."""
    return "uv run headwater" if shutil.which("uv") else str(_PROGRAMS / "headwater")
