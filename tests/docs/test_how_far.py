"""The line on the lessons' pages that says how far a reader is, in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from headwater_workshop.bar import how_far
from headwater_workshop.lesson_docs import HOW_FAR, PASSED
from tests.scenarios.chromium import chromium

from .pages import ROOT

LESSONS = 14
SCRIPT = (ROOT / "docs" / "assets" / "how-far.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser_context() -> Iterator[BrowserContext]:
    """A browser to which /3 is the page of lesson 3."""
    with chromium() as browser:
        context = browser.new_context()
        context.route("**/*", _answer)
        yield context


def _answer(route: Route) -> None:
    number = route.request.url.rpartition("/")[2]
    page = HOW_FAR.format(lessons=LESSONS) + PASSED.format(number=number)
    html = f"<!doctype html><body>{page}<script>{SCRIPT}</script>"
    route.fulfill(body=html, content_type="text/html; charset=utf-8")


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    """The page of lesson 1, in a browser that has ticked nothing off."""
    page = browser_context.new_page()
    page.goto("http://docs.test/1")
    page.evaluate("localStorage.clear()")
    page.reload()
    yield page
    page.close()


def test_it_is_the_line_of_the_terminal(page: Page) -> None:
    """For each number of lessons, character for character."""
    for done in range(LESSONS + 1):
        page.evaluate("n => localStorage.setItem('headwater.lessons.passed', n)", _first(done))
        page.reload()
        assert page.locator(".how-far").inner_text() == how_far(done, LESSONS, "lessons done")


def test_a_lesson_is_ticked_off_and_stays_so(page: Page, browser_context: BrowserContext) -> None:
    """Another page of the same browser hears of it at once; it can be taken back."""
    other = browser_context.new_page()
    other.goto("http://docs.test/2")
    page.get_by_label("The grader passed my lesson 1").check()
    one = how_far(1, LESSONS, "lessons done")
    expect(page.locator(".how-far")).to_have_text(one)
    expect(other.locator(".how-far")).to_have_text(one)
    page.reload()
    expect(page.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("checkbox").uncheck()
    expect(other.locator(".how-far")).to_have_text(how_far(0, LESSONS, "lessons done"))
    other.close()


@pytest.mark.parametrize("kept", ["{", "7", "null", '["1", 0, 15, 1.5, {}]'])
def test_what_is_no_list_of_lessons_counts_nothing(kept: str, page: Page) -> None:
    """Whoever wrote it."""
    page.evaluate("text => localStorage.setItem('headwater.lessons.passed', text)", kept)
    page.reload()
    assert page.locator(".how-far").inner_text() == how_far(0, LESSONS, "lessons done")


def _first(count: int) -> str:
    return str(list(range(1, count + 1)))
