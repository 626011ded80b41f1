"""Make a project out of this folder, without network:  python start.py my-app

What follows the folder's name goes to `headwater new`: --start workshop --defaults, for example.
This file stands in a wheelhouse and uses nothing but Python itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
WINDOWS = os.name == "nt"


def main(arguments: list[str]) -> int:
    """Make the environment, then the project around it; 2 when it was called wrongly."""
    if not arguments or arguments[0].startswith("-"):
        print("usage: python start.py DIR [--start workshop] [--defaults] ...", file=sys.stderr)
        return 2
    if sys.version_info < (3, 11):  # noqa: UP036  an older Python that runs this is told so
        print("Headwater needs Python 3.11 or newer: python3.12 start.py ...", file=sys.stderr)
        return 2
    project = Path(arguments[0]).resolve()
    if project.exists() and (not project.is_dir() or any(project.iterdir())):
        print(f"{project} is there already: name a folder that is not.", file=sys.stderr)
        return 2
    try:
        make(project, arguments[1:])
    except subprocess.CalledProcessError as error:
        shutil.rmtree(project, ignore_errors=True)  # half a project would refuse the next try
        return error.returncode
    print(f"\nNext:\n  cd {arguments[0]}\n  {command('headwater')} dev")
    return 0


def make(project: Path, answers: list[str]) -> None:
    """The project with its environment, both from this folder."""
    print("Making the environment ...", flush=True)
    venv.create(project / ".venv", with_pip=True)
    (wheel,) = HERE.glob("wheels/headwater-*.whl")
    install(project, "--require-hashes", "-r", str(HERE / "requirements.lock"))
    install(project, "--no-deps", str(wheel))
    with tempfile.TemporaryDirectory(dir=project) as folder:
        made = Path(folder) / project.name
        said = subprocess.DEVNULL if "--defaults" in answers else None  # else it asks questions
        words = [str(project / command("headwater")), "new", str(made), *answers]
        subprocess.run(words, check=True, stdout=said)
        for path in made.iterdir():
            shutil.move(path, project / path.name)
    if (project / "frontend" / "package.json").is_file():
        install_frontend(project / "frontend")


def install(project: Path, *words: str) -> None:
    """`pip install` with these words, from the wheels alone."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    own |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pip = [str(project / command("python")), "-m", "pip", "install", "--quiet", "--no-index"]
    subprocess.run([*pip, "--find-links", str(HERE / "wheels"), *words], check=True, env=own)


def install_frontend(folder: Path) -> None:
    """`npm ci` from a copy of the cache: npm writes into it, and this folder may be read-only."""
    npm, cache = shutil.which("npm"), HERE / "npm"
    if npm is None or not cache.is_dir():
        what = "npm is not installed" if npm is None else "this folder has no npm packages"
        print(f"The frontend has to be installed later, by npm ci in {folder}: {what}.")
        return
    print("Installing the frontend ...", flush=True)
    registry = (cache / "registry").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(cache, copy, dirs_exist_ok=True)
        words = ["ci", "--offline", "--no-audit", "--no-fund", "--cache", copy]
        subprocess.run([npm, *words, "--registry", registry], cwd=folder, check=True)


def command(name: str) -> Path:
    """A program of the project's environment, seen from the project."""
    return Path(".venv", "Scripts" if WINDOWS else "bin", name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
