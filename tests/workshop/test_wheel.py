"""The wheel that `src/hatch_kit.py` fills: the kit works from it, and shows no solution."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from headwater_workshop.kit import is_data, kit_root, read_folder, write_tree
from headwater_workshop.lessons import load_lessons
from headwater_workshop.managed import TEMPLATE
from headwater_workshop.stages import complete, stage

pytestmark = pytest.mark.prove  # a build takes its backend from the package index


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder a wheel of this checkout unpacks to."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    tracked = ["pyproject.toml", "README.md", "LICENSE", "copier.yml"]
    for name in ("src", "template", "lessons"):
        shutil.copytree(kit_root() / name, source / name)
    for name in tracked:
        shutil.copy(kit_root() / name, source / name)
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    assert uv is not None
    subprocess.run([uv, "build", "--quiet", "--wheel", "-o", folder, source], check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def lesson(installed: Path, project: Path, *arguments: str) -> str:
    """The output of `headwater lesson ...`, run from the wheel alone."""
    program = "from headwater_workshop.cli.lesson import app; app()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_no_solution_lies_there_in_plain_text(installed: Path) -> None:
    """Neither the lessons' nor the template's complete backend; no hint, and no hidden check."""
    lesson = load_lessons()[1]
    secret = [b"by_project_completed", lesson.read("tests/checks.py").splitlines()[0].encode()]
    secret += [hint.splitlines()[0].encode() for hint in lesson.hints["L2.1"]]
    assert any(secret[0] in content for content in complete().values())
    files = read_folder(installed).items()
    assert [name for name, content in files if any(each in content for each in secret)] == []


def test_the_kit_is_there_without_what_tools_left(installed: Path) -> None:
    """The template's questions and files, and the lessons as one file."""
    kit = installed / "headwater_workshop" / "_kit"
    names = {path.relative_to(kit).as_posix() for path in kit.rglob("*") if path.is_file()}
    assert {"copier.yml", "lessons.bundle"} <= names
    assert any(name.startswith("template/") for name in names)
    assert f"template/{TEMPLATE}/hooks/headwater_hook.py" in names
    assert all(is_data(name) for name in names)


def test_lessons_are_read_from_the_bundle(installed: Path, tmp_path: Path) -> None:
    """The commands work as in a checkout: list, and a stage that is built."""
    write_tree(stage(0), tmp_path)
    assert json.loads(lesson(installed, tmp_path, "list", "--json"))["of"] >= 2
    lesson(installed, tmp_path, "goto", "end")
    assert (tmp_path / "backend" / "tasks.py").read_bytes() == stage(99)["backend/tasks.py"]
