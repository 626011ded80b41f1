"""Projects with the page in React, its npm packages installed once and shared."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from headwater_workshop.new import new_project
from tests.template.kits import ROOT

_NPM_LIMIT_S = 300


def react_project(folder: Path, cache: pytest.Cache, start: str) -> Path:
    """A new project with its npm packages, which are links to those in pytest's cache."""
    project = new_project(folder, start=start, frontend="react", defaults=True, root=ROOT).folder
    link_tree(_installed(project / "frontend", cache), project / "frontend" / "node_modules")
    return project


def npm(frontend: Path, *words: str) -> str:
    """What an npm command prints in a frontend; it must succeed."""
    command = [str(shutil.which("npm")), *words]
    done = subprocess.run(
        command, cwd=frontend, capture_output=True, text=True, timeout=_NPM_LIMIT_S, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def link_tree(source: Path, target: Path) -> None:
    """A copy of a folder whose files are the very same; copies where links cannot be made."""

    def link(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:  # another file system
            shutil.copy2(one, other)

    shutil.copytree(source, target, symlinks=True, copy_function=link)


def _installed(frontend: Path, cache: pytest.Cache) -> Path:
    """The packages of a lock file, as `npm ci` installs them; once for all sessions."""
    if shutil.which("npm") is None:
        _skip("node and npm are not installed")
    lock = (frontend / "package-lock.json").read_bytes()
    shared = cache.mkdir("react-packages") / hashlib.sha256(lock).hexdigest()[:16]
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)  # two workers of one session begin together
        if not (shared / "whole").exists():
            with suppress(FileNotFoundError):
                shutil.rmtree(shared / "node_modules")
            for name in ("package.json", "package-lock.json"):
                shutil.copy(frontend / name, shared)
            try:
                npm(shared, "ci", "--prefer-offline", "--no-audit", "--no-fund")
            except AssertionError as error:
                _skip(f"npm ci does not work here: {error}")
            (shared / "whole").touch()
    return shared / "node_modules"


def _skip(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
