"""A generated project, used as its README says: set up, tested, checked, served."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from headwater_workshop.new import new_project
from tests.scenarios.server_process import ServerProcess, foreign
from tests.template.kits import DAILY, MATRIX, ROOT, files

BIN = Path(sysconfig.get_path("scripts"))
UV = shutil.which("uv", path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
SETUP = (
    ["venv", "--quiet"],
    ["pip", "install", "--quiet", "-r", "requirements.lock"],
    ["pip", "install", "--quiet", "--no-deps", "-r", "requirements-headwater.txt"],
)
ROWS = [
    pytest.param(row, marks=[] if row in DAILY else pytest.mark.prove, id="-".join(row))
    for row in MATRIX
]

pytestmark = pytest.mark.skipif(UV is None, reason="uv is not installed")


@dataclass
class Project:
    """A project with its environment."""

    folder: Path
    start: str
    frontend: str

    def uv(self, *words: str) -> str:
        """What a uv command prints in the project; it must succeed."""
        kept = {name: value for name, value in os.environ.items() if not foreign(name)}
        kept = {name: kept[name] for name in kept if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
        command = [str(UV), *words]
        done = subprocess.run(
            command, cwd=self.folder, env=kept, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module", params=ROWS)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One row of the matrix, generated from this checkout and set up as the README says."""
    start, frontend = request.param
    folder = tmp_path_factory.mktemp(start) / "my-app"
    new_project(folder, start=start, frontend=frontend, defaults=True, root=ROOT)
    project = Project(folder, start, frontend)
    readme = (folder / "README.md").read_text("utf-8")
    for step in SETUP:
        assert " ".join(word for word in step if word != "--quiet") in readme
        project.uv(*step)
    return project


@pytest.fixture
def server(project: Project, tmp_path: Path) -> Iterator[ServerProcess]:
    """The project, served by its own headwater."""
    process = ServerProcess(tmp_path, project=project.folder)
    process.command = project.folder / ".venv" / BIN.name / "headwater"
    try:
        yield process.start("serve")
    finally:
        process.end()


def test_its_tests_pass(project: Project) -> None:
    """`uv run pytest` is green from the first minute, and leaves no lock file behind."""
    assert " passed" in project.uv("run", "pytest")
    assert "uv.lock" not in files(project.folder)


def test_its_backend_keeps_the_rules(project: Project) -> None:
    """`uv run headwater check` finds nothing in what a learner is given."""
    project.uv("run", "headwater", "check")


def test_it_serves_its_functions_and_its_page(project: Project, server: ServerProcess) -> None:
    """One query answers, and the page is there exactly if it was asked for."""
    assert server.run("run", "seed:sample_data") == "true"
    messages = server.call("query", "messages:listMessages", roomId="general")
    assert [message["userId"] for message in messages] == ["ana", "ben"]
    text = server.fetch("/")[1]
    assert ("<title>my-app</title>" in text) is (project.frontend == "plain")
    if project.frontend == "plain":
        for name in ("/app.js", "/style.css", "/headwater.js"):
            assert server.fetch(name)[0] == 200


@pytest.mark.parametrize("start", ["complete", "workshop"])
def test_its_code_is_clean(tmp_path: Path, start: str) -> None:
    """Strict types and the usual lint find nothing in the backend and its tests."""
    folder = new_project(tmp_path / "my-app", start=start, defaults=True, root=ROOT).folder
    for words in (["mypy"], ["ruff", "check", "--select", "E,F,W,I,B,UP", "."]):
        command = [str(BIN / words[0]), *words[1:]]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
