"""The generated page in a real browser: what one window does, another shows, without a reload."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from headwater_workshop.new import new_project
from tests.scenarios.chromium import chromium
from tests.scenarios.server_process import ServerProcess
from tests.template.kits import ROOT

OpenPage = Callable[[str], Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all windows."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A new project with sample data, served for development."""
    folder = tmp_path_factory.mktemp("page")
    project = new_project(folder / "my-app", start="workshop", defaults=True, root=ROOT).folder
    process = ServerProcess(folder, project=project)
    try:
        process.start("dev")
        process.run("run", "seed:sample_data")
        yield process
    finally:
        process.end()


@pytest.fixture
def open_page(server: ServerProcess, browser: Browser) -> Iterator[OpenPage]:
    """Opens a window of its own and signs in; a page that complains fails the test."""
    faults: list[str] = []
    contexts = []

    def open_(person: str) -> Page:
        context = browser.new_context()
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(server.url)
        page.get_by_label("Name").fill(person)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#connection")).to_have_text("live")
        page.evaluate("window.loadedOnce = true")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


def not_reloaded(page: Page) -> bool:
    """Whether the page is still the one that was opened."""
    return bool(page.evaluate("window.loadedOnce === true"))


def test_a_task_of_the_command_line_appears_in_both_windows(
    server: ServerProcess, open_page: OpenPage
) -> None:
    """`headwater run ... --as ana` shows at once wherever ana is signed in, and only there."""
    windows, stranger = [open_page("ana"), open_page("ana")], open_page("ben")
    server.run("run", "tasks:create_task", '{"title": "Typed in a terminal"}', "--as", "ana")
    for window in windows:
        expect(window.get_by_label("Typed in a terminal", exact=True)).to_be_visible()
        assert not_reloaded(window)
    expect(stranger.locator("#tasks li")).to_have_count(3)
    expect(stranger.get_by_text("Typed in a terminal")).to_have_count(0)


def test_what_is_done_in_one_window_shows_in_the_other(open_page: OpenPage) -> None:
    """Adding, completing and deleting a task reach a second window of the same person."""
    one, two = open_page("dora"), open_page("dora")
    expect(two.get_by_text("Nothing to do.")).to_be_visible()
    one.get_by_label("New task").fill("Water the garden")
    one.get_by_label("New task").press("Enter")
    task = two.get_by_label("Water the garden", exact=True)
    expect(task).not_to_be_checked()
    one.get_by_label("Water the garden", exact=True).check()
    expect(task).to_be_checked()
    expect(two.locator("#open-count")).to_have_text("0 open")
    two.get_by_role("button", name="Delete Water the garden").click()
    expect(one.locator("#tasks li")).to_have_count(0)
    assert not_reloaded(one)
    assert not_reloaded(two)


def test_two_people_talk_in_a_room(open_page: OpenPage) -> None:
    """A message carries its sender's name, and is marked as mine only in my window."""
    ana, ben = open_page("ana"), open_page("ben")
    ana.get_by_label("Message", exact=True).fill("Is <b>anybody</b> there?")
    ana.get_by_role("button", name="Send").click()
    for window, mine in ((ana, True), (ben, False)):
        row = window.locator("#messages li", has_text="Is <b>anybody</b> there?")
        expect(row.locator("strong")).to_have_text("ana")
        assert ("mine" in (row.get_attribute("class") or "")) is mine


def test_signing_out_hides_the_tasks(open_page: OpenPage) -> None:
    """After signing out nothing of the person is left on the page, and forms are closed."""
    page = open_page("ana")
    expect(page.locator("#tasks li").first).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#tasks li")).to_have_count(0)
    expect(page.get_by_text("Sign in to see your tasks.")).to_be_visible()
    expect(page.get_by_label("New task")).to_be_disabled()


def test_the_page_survives_a_killed_server(server: ServerProcess, open_page: OpenPage) -> None:
    """After kill -9 and a restart the page is live again by itself, and nothing is lost."""
    page = open_page("emil")
    page.get_by_label("New task").fill("Before")
    page.get_by_label("New task").press("Enter")
    expect(page.get_by_label("Before", exact=True)).to_be_visible()
    server.kill()
    expect(page.locator("#connection")).to_contain_text("reconnecting")
    page.get_by_label("New task").fill("Meanwhile")
    page.get_by_label("New task").press("Enter")
    expect(page.locator("#connection")).to_contain_text("1 to send")
    server.start("dev")
    expect(page.locator("#connection")).to_have_text("live", timeout=20_000)
    expect(page.locator("#tasks .title")).to_have_text(["Meanwhile", "Before"])
    assert not_reloaded(page)


def test_an_error_of_the_backend_is_shown_in_its_own_words(
    server: ServerProcess, open_page: OpenPage
) -> None:
    """What a function raises as AppError is the sentence on the page, until the next try."""
    page = open_page("frida")
    server.run("run", "tasks:create_task", '{"title": "Hers"}', "--as", "frida")
    button = page.get_by_role("button", name="Delete Hers")
    button.evaluate("button => { button.click(); button.click(); }")
    expect(page.get_by_role("alert")).to_have_text("This task no longer exists.")
    page.get_by_label("New task").fill("Another")
    page.get_by_label("New task").press("Enter")
    expect(page.get_by_role("alert")).to_be_hidden()
