"""`usePaginatedQuery`: pages that stay whole whatever is written between them."""

from __future__ import annotations

import math
import random
import re

import pytest
from playwright.sync_api import Page, expect

from tests.scenarios.react.conftest import OpenPage
from tests.scenarios.react.rooms import places, put, shows
from tests.scenarios.server_process import ServerProcess, wait_for


def load_more(page: Page) -> None:
    """Clicks the button, which waits for the page before."""
    page.get_by_role("button", name="Load more").click()


def test_pages_are_loaded_one_after_another(server: ServerProcess, open_page: OpenPage) -> None:
    """Five, ten, then the rest and the end of it."""
    put(server, "long", *range(1, 13))
    page = open_page("paged", room="long")
    shows(page, list(range(1, 6)))
    expect(page.get_by_role("status")).to_have_text("CanLoadMore")
    load_more(page)
    shows(page, list(range(1, 11)))
    load_more(page)
    shows(page, list(range(1, 13)))
    expect(page.get_by_role("status")).to_have_text("Exhausted")


def test_changes_between_pages_leave_no_gap_and_no_double(
    server: ServerProcess, open_page: OpenPage
) -> None:
    """Put at the seam, taken from it, before it and after it: each message is shown once."""
    put(server, "seam", *range(10, 130, 10))
    page = open_page("paged", room="seam")
    shows(page, [10, 20, 30, 40, 50])
    load_more(page)
    shows(page, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    put(server, "seam", 55, 5, 200)
    shows(page, [5, 10, 20, 30, 40, 50, 55, 60, 70, 80, 90, 100])
    for gone in (50, 60, 55):
        server.call("mutation", "rooms:remove", room="seam", place=gone)
    shows(page, [5, 10, 20, 30, 40, 70, 80, 90, 100])
    put(server, "seam", 51, 59)
    shows(page, [5, 10, 20, 30, 40, 51, 59, 70, 80, 90, 100])
    load_more(page)
    shows(page, [5, 10, 20, 30, 40, 51, 59, 70, 80, 90, 100, 110, 120, 200])


class Walk:
    """Random puts and removals in a room whose pages are open, and what they must show."""

    def __init__(self, server: ServerProcess, open_page: OpenPage, seed: int) -> None:
        self.server, self.room = server, f"random {seed}"
        self.chance = random.Random(seed)
        self.stored = {float(place) for place in range(0, 600, 20)}
        put(server, self.room, *sorted(self.stored))
        self.page = open_page("paged", room=self.room)
        shows(self.page, sorted(self.stored)[:5])
        self.end = 80.0  # the pages loaded reach so far, whatever is put or removed

    def step(self) -> None:
        """Puts or removes one, in the pages or a little behind them; waits until that shows."""
        place = float(self.chance.randrange(int(min(self.end, 600)) + 40))
        if place in self.stored:
            self.stored.discard(place)
            self.server.call("mutation", "rooms:remove", room=self.room, place=place)
        elif place != self.end:  # of two in one place the later comes after the page's end
            self.stored.add(place)
            put(self.server, self.room, place)
        shows(self.page, sorted(one for one in self.stored if one <= self.end))

    def load_more(self) -> None:
        """Loads one page more, unless all are loaded."""
        status = self.page.get_by_role("status")
        if status.text_content() != "Exhausted":
            load_more(self.page)
            expect(status).to_have_text(re.compile("CanLoadMore|Exhausted"))
            done = status.text_content() == "Exhausted"
            self.end = math.inf if done else max(places(self.page))


@pytest.mark.parametrize(
    ("seed", "steps"),
    [(7, 50), *(pytest.param(seed, 300, marks=pytest.mark.prove) for seed in range(4))],
)
def test_pages_stay_whole_under_random_changes(
    seed: int, steps: int, server: ServerProcess, open_page: OpenPage
) -> None:
    """After each change the pages are the room as far as they reach, gapless, without doubles."""
    walk = Walk(server, open_page, seed)
    for number in range(steps):
        walk.step()
        if number % 20 == 10:
            walk.load_more()
    while walk.end < math.inf:
        walk.load_more()
    shows(walk.page, sorted(walk.stored))


HALF = '"endCursor":"'
"""In what the client sends when it asks for a page that ends at a cursor."""


def test_a_page_that_grows_is_split(server: ServerProcess, open_page: OpenPage) -> None:
    """Past twice its size the client asks for its halves, by the cursors given; nothing moves."""
    put(server, "grows", 1, 2, 3, 4, 5, 6)
    asked: list[str] = []

    def prepare(page: Page) -> None:
        page.on(
            "websocket",
            lambda socket: socket.on("framesent", lambda frame: asked.append(str(frame))),
        )

    page = open_page("paged", prepare, room="grows")
    shows(page, [1, 2, 3, 4, 5])
    put(server, "grows", *(4 + n / 10 for n in range(1, 10)))
    shows(page, [1, 2, 3, 4, *(4 + n / 10 for n in range(1, 10)), 5])
    wait_for(lambda: places(page) and "".join(asked).count(HALF) >= 2, "both halves")
    server.call("mutation", "rooms:remove", room="grows", place=4.5)
    load_more(page)
    shows(page, [1, 2, 3, 4, *(4 + n / 10 for n in range(1, 10) if n != 5), 5, 6])
