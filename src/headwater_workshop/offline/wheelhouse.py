"""A folder with everything that a room without network needs, filled where there is one.

    requirements.lock   what projects are pinned to
    wheels/             a wheel for each pin and each kind of machine, and headwater's own
    npm/                npm's cache, for the React frontend
    start.py            makes a project from all this (room.py)
    README.md           says so

Filling it again downloads only what is missing: a wheel counts when it hashes to what the lock
says, and one that does not is taken away and fetched anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..kit import KitError, kit_root
from ..new import installed_as
from . import room
from .targets import PLATFORMS, Pin, Target, pins

CHUNK = 8
"""Wheels that pip fetches in one go: an interruption loses no more than these."""
REACT = "{% if frontend == 'react' %}frontend{% endif %}"

Progress = Callable[[int, int], None]
"""Called with how many wheels are there, of how many."""


@dataclass(frozen=True)
class Filled:
    """What a wheelhouse got, and what it had."""

    wheels: int
    fetched: int


def fill(
    folder: Path,
    targets: Sequence[Target],
    *,
    frontend: str | None = None,
    root: Path | None = None,
    progress: Progress = lambda done, of: None,
) -> Filled:
    """Fill a folder for these machines, or what is missing in it.

    Args:
        folder: the wheelhouse; made if it is not there.
        targets: the machines, at least one.
        frontend: `react` for its npm packages too.
        root: the kit; this headwater's own if it is left out.
        progress: told after each few wheels.

    Raises:
        KitError: pip or npm could not fetch something, or a file is not what the lock says.
    """
    root = kit_root() if root is None else root
    lock = (root / "template" / "requirements.lock").read_text(encoding="utf-8")
    (folder / "wheels").mkdir(parents=True, exist_ok=True)
    with _python_with_pip() as python:
        filled = fetch(folder / "wheels", list(pins(lock)), targets, python, progress)
        _build_own(folder / "wheels", root, python)
    if frontend == "react":
        fetch_npm(folder / "npm", root / "template" / REACT, targets)
    (folder / "requirements.lock").write_text(lock, encoding="utf-8")
    shutil.copyfile(room.__file__, folder / "start.py")
    (folder / "README.md").write_text(_readme(targets, frontend), encoding="utf-8")
    return filled


def fetch(
    wheels: Path, wanted: Sequence[Pin], targets: Sequence[Target], python: Path, progress: Progress
) -> Filled:
    """Download the wheels that are missing, a few at a time.

    Raises:
        KitError: pip refused, or what came does not hash to what the lock says.
    """
    _drop_damaged(wheels, wanted)
    missing = [(target, _missing(wheels, wanted, target)) for target in targets]
    of = sum(pin.wanted_by(target) for target in targets for pin in wanted)
    left = fetched = sum(len(absent) for _, absent in missing)
    progress(of - left, of)
    for target, absent in missing:
        for at in range(0, len(absent), CHUNK):
            some = absent[at : at + CHUNK]
            _download(wheels, some, target, python)
            left -= len(some)
            progress(of - left, of)
    _drop_damaged(wheels, wanted)
    for target in targets:
        _refuse_missing(wheels, wanted, target)
    return Filled(of, fetched)


def fetch_npm(cache: Path, frontend: Path, targets: Sequence[Target]) -> None:
    """Fill npm's cache with what the frontend's lock file names, for each kind of machine.

    Raises:
        KitError: the kit has no such frontend, npm is not installed, or it could not fetch.
    """
    npm = shutil.which("npm")
    if npm is None or not (frontend / "package-lock.json").is_file():
        what = "npm is not installed." if npm is None else "This kit has no React frontend."
        raise KitError(what, where=str(frontend), fix="leave out --frontend react")
    registry = _run([npm, "config", "get", "registry"], "npm", frontend.parent).strip()
    kinds = {PLATFORMS[each.platform].npm for each in targets if not each.is_here}
    others = [[f"--os={system}", f"--cpu={cpu}"] for system, cpu in sorted(kinds)]
    here: list[list[str]] = [[]] if any(each.is_here for each in targets) else []
    for words in [*here, *others]:
        with tempfile.TemporaryDirectory() as folder:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(frontend / name, folder)
            quiet = [
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--cache",
                str(cache.absolute()),
            ]
            _run([npm, "ci", *quiet, *words], "npm", Path(folder))
    (cache / "registry").write_text(registry, encoding="utf-8")


def _missing(wheels: Path, wanted: Sequence[Pin], target: Target) -> list[Pin]:
    there = list(wheels.glob("*.whl"))
    asked = [pin for pin in wanted if pin.wanted_by(target)]
    return [pin for pin in asked if not any(pin.fits(wheel, target) for wheel in there)]


def _drop_damaged(wheels: Path, wanted: Sequence[Pin]) -> None:
    """Take away what the lock does not know: half a file, another version, something put there."""
    known = {each for pin in wanted for each in pin.hashes}
    for path in wheels.iterdir():
        if path.is_file() and not path.name.startswith("headwater-") and _sha256(path) not in known:
            path.unlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _refuse_missing(wheels: Path, wanted: Sequence[Pin], target: Target) -> None:
    absent = _missing(wheels, wanted, target)
    if absent:
        names = ", ".join(f"{pin.name}=={pin.version}" for pin in absent)
        raise KitError(
            f"What was downloaded is not what requirements.lock says: {names}.",
            where=f"{wheels}, for {target}",
            fix="try again; if it stays so, the package index gives other files than were pinned",
        )


def _download(wheels: Path, some: Sequence[Pin], target: Target, python: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "requirements.txt"
        asked.write_text("\n".join(pin.line for pin in some), encoding="utf-8")
        words = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(asked)]
        command = [str(python), "-m", "pip", "download", "--quiet", *words, *target.pip_words]
        _run([*command, "--dest", str(wheels)], f"pip, for {target}", wheels)


def _build_own(wheels: Path, root: Path, python: Path) -> None:
    """The wheel of this very headwater: built from a checkout, else fetched as it was installed."""
    source = str(root) if (root / "pyproject.toml").is_file() else installed_as()
    with tempfile.TemporaryDirectory() as folder:
        words = ["wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source]
        _run([str(python), "-m", "pip", *words], "pip, for headwater itself", wheels)
        for old in wheels.glob("headwater-*.whl"):
            old.unlink()
        shutil.move(next(Path(folder).glob("headwater-*.whl")), wheels)


@contextmanager
def _python_with_pip() -> Iterator[Path]:
    """This Python if it has pip; else a new environment's: what `uv venv` makes has none."""
    if importlib.util.find_spec("pip"):
        yield Path(sys.executable)
        return
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        yield Path(folder, "Scripts" if os.name == "nt" else "bin", "python")


def _run(command: Sequence[str], what: str, where: Path) -> str:
    own = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    done = subprocess.run(command, cwd=where, env=own, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise KitError(
            "\n".join([f"Not everything could be fetched ({what}):", *lines[-5:]]),
            where=str(where),
            fix="look at the network, then say the same again: what is there is kept",
        )
    return done.stdout


def _readme(targets: Sequence[Target], frontend: str | None) -> str:
    machines = "\n".join(f"- {target}" for target in targets)
    with_npm = " and the npm packages of the React frontend" if frontend == "react" else ""
    return f"""\
# Headwater without network

This folder holds headwater, the wheels that a project needs{with_npm}. It was filled for:

{machines}

Copy it to a machine, or open it on a shared drive, and say there, where the project shall be:

    python FOLDER/start.py my-app --start workshop --defaults
    cd my-app && .venv/bin/headwater dev

On Windows `py FOLDER\\start.py my-app --start workshop --defaults`, then in `my-app`
`.venv\\Scripts\\headwater dev`.

The first makes the environment and the project, and checks each wheel against `requirements.lock`.
What follows the name goes to `headwater new`. Where a lesson says `uv run headwater ...`, say
`.venv/bin/headwater ...` in `my-app`.
"""
