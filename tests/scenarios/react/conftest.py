"""The app of the pages: bundled, served, and opened in windows of headless Chromium."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page

from headwater.codegen import write
from headwater.loader import load
from tests.scenarios.chromium import chromium
from tests.scenarios.held_line import HeldLine
from tests.scenarios.react.provider import AUTH_CONFIG
from tests.scenarios.server_process import ServerProcess
from tests.scenarios.typescript import node_modules

OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all windows."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The app of the pages, its frontend bundled with the generated types, and served."""
    process = ServerProcess(tmp_path_factory.mktemp("react"), app="react")
    (process.project / "backend/auth_config.py").write_text(AUTH_CONFIG)
    bundle(process.project)
    try:
        yield process.start("dev")
    finally:
        process.end()


def bundle(project: Path) -> None:
    """Makes `frontend/app.js`, as a bundler of the frontend's own would."""
    frontend = project / "frontend"
    (frontend / "node_modules").symlink_to(node_modules(), target_is_directory=True)
    write(frontend / "src/_generated", load(project).manifest)
    command = [
        *(str(node_modules() / ".bin/esbuild"), "src/main.tsx", "--bundle"),
        *("--format=esm", "--jsx=automatic", "--outfile=app.js", "--log-level=warning"),
        '--define:process.env.NODE_ENV="development"',
    ]
    subprocess.run(command, cwd=frontend, timeout=60, check=True)


@pytest.fixture
def line(server: ServerProcess) -> Iterator[HeldLine]:
    """A line to the server that can be held."""
    held = HeldLine(server.port)
    yield held
    held.end()


@pytest.fixture
def open_page(server: ServerProcess, browser: Browser) -> Iterator[OpenPage]:
    """Opens a page in a window of its own; one that has an uncaught error fails the test."""
    faults: list[str] = []
    contexts = []

    def open_(name: str, prepare: Callable[[Page], object] = repr, **parameters: str) -> Page:
        context = browser.new_context()
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        prepare(page)
        page.goto(f"{server.url}/?{urlencode(parameters)}#{name}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []
