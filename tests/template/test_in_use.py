"""A generated project, used as its README says: set up, tested, checked, served."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest

from headwater_workshop.new import new_project
from tests.scenarios.server_process import ServerProcess, foreign
from tests.template.kits import ROOT, ROWS, Row, files

BIN = Path(sysconfig.get_path("scripts"))
UV = shutil.which("uv", path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
SETUP = (
    ["venv", "--quiet"],
    ["pip", "install", "--quiet", "-r", "requirements.lock"],
    ["pip", "install", "--quiet", "--no-deps", "-r", "requirements-headwater.txt"],
)
CLEAN = (
    "ruff check .",
    "ruff format --check backend tests",
    "mypy",
    "headwater check",
    "headwater ai-files status --check",
)
WITH_HEADWATER = {"headwater", "pydantic", "fastapi", "httpx", "pydantic_settings", "pytest"}
BROWSER_STEPS = ("pip install -r requirements-browser.lock", "run pytest -m browser")
REQUIREMENTS = ("requirements.lock", "requirements-headwater.txt")

pytestmark = pytest.mark.skipif(UV is None, reason="uv is not installed")


@dataclass
class Project:
    """A project with its environment."""

    folder: Path
    row: Row

    def uv(self, *words: str) -> str:
        """What a uv command prints in the project; it must succeed."""
        return self.ran(str(UV), *words)

    def ran(self, *command: str, folder: str = ".") -> str:
        """What a command prints in a folder of the project; it must succeed."""
        kept = {name: value for name, value in os.environ.items() if not foreign(name)}
        kept = {name: kept[name] for name in kept if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
        where = self.folder / folder
        done = subprocess.run(
            command, cwd=where, env=kept, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


def set_up(project: Project) -> Path:
    """Make the project's environment as its README says; where it is."""
    for step in SETUP:
        project.uv(*step)
    return project.folder / ".venv"


@pytest.fixture(scope="module", autouse=True)
def _one_cache_of_types(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """mypy looks at headwater and pydantic once for all rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.mktemp("mypy")))
        yield


@pytest.fixture(scope="module")
def environments() -> dict[tuple[str, ...], Path]:
    """An environment for each content of the two requirements files; made when first needed."""
    return {}


@pytest.fixture(scope="module", params=ROWS)
def project(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    environments: dict[tuple[str, ...], Path],
) -> Project:
    """A row of the matrix, generated from this checkout and set up as the README says.

    Rows with the same requirements share one environment: it is linked, not installed again.
    """
    row: Row = request.param
    folder = tmp_path_factory.mktemp(row.start) / "my-app"
    new_project(folder, **row.answers, defaults=True, root=ROOT)
    project = Project(folder, row)
    wanted = tuple((folder / name).read_text("utf-8") for name in REQUIREMENTS)
    if wanted in environments:
        (folder / ".venv").symlink_to(environments[wanted], target_is_directory=True)
    else:
        environments[wanted] = set_up(project)
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


def test_its_readme_says_how_to_set_it_up(project: Project) -> None:
    """The three steps that made its environment stand in its README."""
    readme = (project.folder / "README.md").read_text("utf-8")
    for step in SETUP:
        assert " ".join(word for word in step if word != "--quiet") in readme


def test_its_tests_pass(project: Project) -> None:
    """`uv run pytest` is green from the first minute, and leaves no lock file behind."""
    assert " passed" in project.uv("run", "pytest")
    assert "uv.lock" not in files(project.folder)


@pytest.mark.prove
def test_its_tests_with_the_model_s_package_pass(project: Project) -> None:
    """They are apart, for that package alone takes seconds to import; a workshop has none."""
    if project.row.start == "complete":
        assert " passed" in project.uv("run", "pytest", "-m", "model")


def test_its_code_is_clean(project: Project) -> None:
    """Strict types, lint and the rules find nothing, with the project's own tools."""
    for words in CLEAN:
        project.uv("run", *words.split())


def imported(file: Path) -> set[str]:
    """The packages that a file imports, by their first name."""
    nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
    plain = {each.name for node in nodes if isinstance(node, ast.Import) for each in node.names}
    taken = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | taken}


def test_it_names_what_it_imports(project: Project) -> None:
    """Every package that its code imports stands in pyproject.toml, or comes with headwater."""
    described = tomllib.loads((project.folder / "pyproject.toml").read_text("utf-8"))
    listed = chain(described["project"]["dependencies"], *described["dependency-groups"].values())
    named = {re.split(r"[\[<>=; ]", line)[0] for line in listed}
    known = named | WITH_HEADWATER | {"backend", "tests", "tools"} | sys.stdlib_module_names
    for folder in ("backend", "tests", "tools"):
        for file in (project.folder / folder).rglob("*.py"):
            names = {{"fpdf": "fpdf2"}.get(name, name) for name in imported(file)}
            assert names <= known, file


def test_its_page_in_react_compiles_and_builds(project: Project) -> None:
    """With the types of its own backend: `codegen`, `npm ci`, strict TypeScript, and Vite."""
    if project.row.frontend != "react":
        assert not (project.folder / "frontend" / "package.json").exists()
        return
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    project.uv("run", "headwater", "codegen")
    project.ran("npm", "ci", "--no-audit", "--no-fund", folder="frontend")
    project.ran("npm", "run", "check", folder="frontend")
    project.ran("npm", "run", "build", folder="frontend")


def test_it_serves_its_functions_and_its_page(project: Project, server: ServerProcess) -> None:
    """One query answers, and the page is there exactly if it was asked for."""
    assert server.run("run", "seed:sample_data") == "true"
    room = '{"room_id": "general"}'
    messages = json.loads(server.run("run", "messages:list_messages", room, "--as", "ana"))
    assert [message["userId"] for message in messages] == ["ana", "ben"]
    text = server.fetch("/")[1]  # in React it is what the test above has built
    assert ("<title>my-app</title>" in text) is (project.row.frontend != "none")
    if project.row.frontend == "plain":
        for name in ("/app.js", "/style.css", "/headwater.js"):
            assert server.fetch(name)[0] == 200


@pytest.mark.prove
def test_its_page_works_in_a_browser(project: Project) -> None:
    """As its README says: Playwright installed by its own lock, then `pytest -m browser`, typed."""
    if project.row.frontend == "none":
        return
    if project.row.frontend == "react" and shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    readme = (project.folder / "README.md").read_text("utf-8")
    for words in BROWSER_STEPS:
        assert f"uv {words}" in readme
        said = project.uv(*words.split())
    project.uv("run", "mypy")
    if " skipped" in said:  # on CI it fails instead
        pytest.skip("chromium is not installed")
    assert "1 passed" in said
