"""The page in a real browser, two windows of it: what is done in one shows in the other.

Not among the daily tests, for it needs a browser: `make page-test`, or the commands in README.md.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType, Page

PROJECT = Path(__file__).resolve().parents[1]
HEADWATER = Path(sys.executable).with_name("headwater")
SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DEADLINE_S = 30

OpenWindow = Callable[[str], "Page"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser that nobody sees, for all windows."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright: uv pip install -r requirements-browser.lock")
    with sync_playwright() as playwright, launched(playwright.chromium) as browser:
        yield browser


def launched(chromium: BrowserType) -> Browser:
    """The Chromium that Playwright has fetched, else the one that is installed here."""
    if Path(chromium.executable_path).exists():
        return chromium.launch()
    found = next(filter(None, map(shutil.which, SYSTEM_BROWSERS)), None)
    if found is None:
        missing("Chromium: install it, or say uv run playwright install chromium")
    return chromium.launch(executable_path=found)


def missing(what: str) -> NoReturn:
    """Skips the test where something is not installed; but in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"This test needs {what}", pytrace=False)
    pytest.skip(f"This test needs {what}")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A copy of the project, served with a database of its own on a free port."""
    copy_project(tmp_path)
    command = [str(HEADWATER), "dev", "--port", "0"]
    kept = {name: it for name, it in os.environ.items() if not name.startswith("HEADWATER_")}
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=kept, stdout=log, stderr=log)
    try:
        yield address(server, tmp_path)
    finally:
        server.terminate()
        try:
            server.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            server.kill()


def copy_project(target: Path) -> None:
    """What the server needs of the project: its functions, and its page as it is built."""
    page = PROJECT / "frontend"
    if (page / "package.json").exists():
        page = page / "dist"
    if not (page / "index.html").exists():
        pytest.fail("The page is not built: make build, or as README.md says", pytrace=False)
    shutil.copytree(page, target / "frontend")
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "backend", target / "backend", ignore=caches)


def address(server: subprocess.Popen[bytes], folder: Path) -> str:
    """Where the server answers, as soon as it has written it down."""
    written = folder / ".headwater" / "server.json"
    deadline = time.monotonic() + DEADLINE_S
    while not written.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"The server has not started:\n{(folder / 'server.log').read_text()}")
        time.sleep(0.02)
    return str(json.loads(written.read_text())["url"])


@pytest.fixture
def open_window(browser: Browser, url: str) -> Iterator[OpenWindow]:
    """Opens the page in a window of its own and signs a person in."""
    windows = []

    def open_(person: str) -> Page:
        window = browser.new_context()
        windows.append(window)
        page = window.new_page()
        page.goto(url)
        page.get_by_label("Name").fill(person)
        page.get_by_role("button", name="Sign in").click()
        return page

    yield open_
    for window in windows:
        window.close()


def test_what_one_window_does_the_other_shows(open_window: OpenWindow) -> None:
    """Ana adds a task; her other window shows it, completes it, and the first one knows."""
    from playwright.sync_api import expect

    here, there = open_window("ana"), open_window("ana")
    here.get_by_label("New task").fill("Water the garden")
    here.get_by_label("New task").press("Enter")
    task_here = here.get_by_role("checkbox", name="Water the garden")
    task_there = there.get_by_role("checkbox", name="Water the garden")
    expect(task_there).not_to_be_checked()
    task_there.check()
    expect(task_here).to_be_checked()
