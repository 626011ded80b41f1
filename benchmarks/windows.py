"""Two windows of headless Chromium: a box is clicked in one; when does each of them show it?"""

import json
import random
import shutil
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from benchmarks.project import Project, serving_project
from benchmarks.servers import HERE, BenchmarkFailed, Server, serving

BOARD = "Garden"  # as in the sample data of a new project, and its tasks
TASKS = ("Choose a name", "Invite the others", "Plant the trees")
TASK = TASKS[-1]
PROBE = (HERE / "probe.js").read_text(encoding="utf-8")
WARM_UP = 5  # toggles that are not counted
FRAME_MS = 1000 / 60
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass(frozen=True)
class Windows:
    """Ana's window and ben's, both showing the same tasks; she clicks."""

    ana: Page
    ben: Page

    def toggles(self, count: int) -> dict[str, float]:
        """Toggle a task so often; the medians from the click to either window, in milliseconds."""
        chance = random.Random(count)  # the same delays for both sides
        delays = [chance.uniform(0, FRAME_MS) for _ in range(count + WARM_UP)]
        times = [self.toggle(delay) for delay in delays][WARM_UP:]
        own, other = zip(*times, strict=True)
        return {"own_ms": median(own), "other_ms": median(other)}

    def toggle(self, delay_ms: float) -> tuple[float, float]:
        """Click once; milliseconds until ana's box shows it, and until ben's does.

        Playwright clicks at a fixed time after a frame. The button is held for a moment, another
        one each time, so that clicks fall anywhere between two frames as those of people do.
        """
        state = not self.ana.evaluate("probe.checked()")
        for window in (self.ana, self.ben):
            window.evaluate("state => probe.watch(state)", state)
        self.ana.get_by_role("checkbox", name=TASK).click(delay=delay_ms)
        own, other = (window.evaluate("probe.seen") for window in (self.ana, self.ben))
        clicked = self.ana.evaluate("probe.clicked")
        return own - clicked, other - clicked


@contextmanager
def both_sides() -> Iterator[tuple[Windows, Windows]]:
    """Two windows of the page in React, and two of the hand-written page."""
    with (
        serving_project() as project,
        serving("handwritten") as handwritten,
        chromium() as browser,
    ):
        try:
            yield react_windows(browser, project), plain_windows(browser, handwritten)
        except (BrowserError, AssertionError) as error:  # `expect` raises the latter
            raise BenchmarkFailed(str(error)) from None


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, or else Playwright's own."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        except BrowserError as error:
            raise BenchmarkFailed(f"two windows need chromium:\n{error}") from None
        try:
            yield browser
        finally:
            browser.close()


def react_windows(browser: Browser, project: Project) -> Windows:
    """The page of a generated project: ana in one window, ben in the other."""
    return Windows(*(signed_in(browser, project, person) for person in ("ana", "ben")))


def signed_in(browser: Browser, project: Project, person: str) -> Page:
    """A window in which somebody has signed in and opened the project that both share.

    The page asks for a development token, which only `headwater dev` gives to pages; what is
    measured is `headwater serve`, so the token is one that the command line makes for it.
    """
    token = project.run("token", "--subject", person)

    def give_token(route: Route) -> None:
        route.fulfill(json={"token": token})

    page = window(browser)
    page.route("**/dev/token", give_token)
    page.goto(project.url)
    page.get_by_label("Name").fill(person)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=BOARD).click()
    return ready(page)


def plain_windows(browser: Browser, server: Server) -> Windows:
    """The hand-written page, in two windows."""
    for title in TASKS:
        query = urllib.parse.urlencode({"title": title})
        url = f"http://{server.address}/boards/{BOARD}/tasks?{query}"
        urllib.request.urlopen(urllib.request.Request(url, method="POST")).close()
    return Windows(*(plain_window(browser, server) for _ in range(2)))


def plain_window(browser: Browser, server: Server) -> Page:
    """One window of the hand-written page."""
    page = window(browser)
    page.goto(f"http://{server.address}/?board={BOARD}")
    return ready(page)


def window(browser: Browser) -> Page:
    """A window of somebody's own. Rows do not fade in, so what is in a frame can be seen in it."""
    return browser.new_context(reduced_motion="reduce").new_page()


def ready(page: Page) -> Page:
    """Wait until the tasks are shown, and put the probe in."""
    expect(page.get_by_role("checkbox")).to_have_count(len(TASKS))
    page.evaluate(f"({PROBE.strip()})({json.dumps(TASK)})")
    return page
