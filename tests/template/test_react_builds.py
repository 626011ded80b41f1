"""The page in React as a production serves it: types checked, built, given by `headwater serve`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from headwater.codegen import write
from headwater.loader import load
from tests.scenarios.chromium import chromium
from tests.scenarios.server_process import ServerProcess
from tests.template.react_project import npm, react_project

pytestmark = pytest.mark.prove  # the daily browser tests use pages that `dev` serves unbuilt


@pytest.fixture(
    scope="module",
    params=["complete", "workshop"],
)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its page built as its README says; `tsc --strict` is the first step of it."""
    folder = tmp_path_factory.mktemp("react") / "my-app"
    assert request.config.cache is not None
    project = react_project(folder, request.config.cache, request.param)
    write(project / "frontend/src/_generated", load(project).manifest)
    npm(project / "frontend", "run", "build")
    return project


@pytest.fixture(scope="module")
def server(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The project, served as in production."""
    process = ServerProcess(tmp_path_factory.mktemp("served"), project=project)
    try:
        yield process.start("serve")
    finally:
        process.end()


def test_the_built_page_runs(server: ServerProcess) -> None:
    """It comes with its code from one port and is live; nothing is loaded from elsewhere."""
    asked: list[str] = []
    with chromium() as browser:
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(server.url)
        expect(page.get_by_role("status")).to_have_text("live")
        page.get_by_label("Name").fill("ana")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("no development tokens")
    assert all(url.startswith((server.url, "data:")) for url in asked)


def test_sources_and_packages_are_not_served(project: Path, server: ServerProcess) -> None:
    """Not the code as it was written, nor what it was made with."""
    for path in ("/src/main.tsx", "/package.json", "/node_modules/vite/package.json"):
        assert (project / "frontend" / path[1:]).is_file()
        assert server.fetch(path)[0] == 404


def test_nothing_loads_from_elsewhere(project: Path) -> None:
    """No address of a CDN or a font server is in what was built, nor a registry's in its lock."""
    built = "".join(file.read_text() for file in (project / "frontend/dist").rglob("*.*"))
    loads = re.findall(r"(?:src|href)=\"(https?:[^\"]+)|url\((https?:[^)]+)|@import", built)
    assert loads == []
    assert '"resolved"' not in (project / "frontend/package-lock.json").read_text()
