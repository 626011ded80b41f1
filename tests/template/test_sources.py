"""A project gets the very headwater it was made from: out of a wheel, and out of git."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from headwater_workshop.new import requirement_of
from tests.template.kits import ROOT, copy, git

SCRIPTS = Path(sysconfig.get_path("scripts")).name
UV = shutil.which("uv", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}")

pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(UV is None, reason="uv is not installed"),
]


def run(*words: str | Path, cwd: Path) -> str:
    """What a command prints; it must succeed."""
    kept = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(words, cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This kit's newest commit, as somebody else has it."""
    folder = tmp_path_factory.mktemp("clones") / "kit"
    git(ROOT, "clone", "--quiet", f"file://{ROOT}", str(folder))
    return folder


def set_up(project: Path) -> None:
    """What the project's README says."""
    run(str(UV), "venv", "--quiet", cwd=project)
    run(str(UV), "pip", "install", "--quiet", "-r", "requirements.lock", cwd=project)
    words = ("--quiet", "--no-deps", "-r", "requirements-headwater.txt")
    run(str(UV), "pip", "install", *words, cwd=project)


@pytest.mark.parametrize("start", ["workshop", "complete"])
def test_an_installed_wheel_makes_projects(clone: Path, tmp_path: Path, start: str) -> None:
    """`headwater new` works without a checkout, and its project installs that same wheel."""
    run(str(UV), "build", "--quiet", "--wheel", "--out-dir", tmp_path / "dist", cwd=clone)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    home = tmp_path / "home"
    home.mkdir()
    run(str(UV), "venv", "--quiet", cwd=home)
    run(str(UV), "pip", "install", "--quiet", f"headwater[workshop] @ {wheel.as_uri()}", cwd=home)
    headwater = home / ".venv" / SCRIPTS / "headwater"
    run(headwater, "new", "my-app", "--start", start, "--defaults", cwd=home)
    project = home / "my-app"
    assert requirement_of(project) == f"headwater @ {wheel.as_uri()}"
    set_up(project)
    assert " passed" in run(str(UV), "run", "pytest", cwd=project)


def test_a_git_source_installs_that_commit(clone: Path, tmp_path: Path) -> None:
    """A project of a git address installs headwater from there, at the rendered commit."""
    project = copy(f"git+file://{clone}", tmp_path / "my-app", "HEAD", start="workshop")
    assert requirement_of(project).endswith(f"@{git(clone, 'rev-parse', 'HEAD')}")
    set_up(project)
    assert " passed" in run(str(UV), "run", "pytest", cwd=project)
