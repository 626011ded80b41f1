"""What a page shows before the server has answered, and while an action writes."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from playwright.sync_api import Locator, Page, expect

from tests.scenarios.conftest import OpenClient
from tests.scenarios.held_line import HeldLine
from tests.scenarios.react.conftest import OpenPage
from tests.scenarios.react.rooms import put
from tests.scenarios.server_process import ServerProcess, wait_for


def items(page: Page, kind: str) -> Locator:
    """The messages that wait for the server, or that it has stored."""
    return page.locator(f"li.{kind}")


def say(page: Page, body: str) -> None:
    """Types a message and sends it."""
    page.get_by_label("Message").fill(body)
    page.get_by_role("button", name="Send").click()


def test_a_message_is_shown_before_the_server_has_answered(
    server: ServerProcess, line: HeldLine, open_page: OpenPage
) -> None:
    """At once while nothing arrives; then the stored one takes its place, without a double."""
    page = open_page("optimistic", room="quick", url=line.url)
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    line.hold()
    say(page, "hello")
    expect(items(page, "waiting")).to_have_text(["hello"])
    say(page, "again")
    expect(items(page, "waiting")).to_have_text(["hello", "again"])
    stored = partial(server.call, "query", "rooms:allMessages", room="quick")
    wait_for(lambda: len(stored()) == 2, "the server has both")
    expect(items(page, "stored")).to_have_count(0)
    line.release()
    expect(items(page, "stored")).to_have_text(["hello", "again"])
    expect(items(page, "waiting")).to_have_count(0)


def test_a_refused_message_is_taken_back(line: HeldLine, open_page: OpenPage) -> None:
    """Shown until the refusal arrives, then gone, and the reason is there; others stay."""
    page = open_page("optimistic", room="polite", url=line.url)
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    line.hold()
    say(page, "kind")
    say(page, "rude word")
    expect(items(page, "waiting")).to_have_text(["kind", "rude word"])
    line.release()
    expect(page.get_by_role("alert")).to_have_text("RUDE")
    expect(items(page, "stored")).to_have_text(["kind"])
    expect(items(page, "waiting")).to_have_count(0)


def test_a_preloaded_query_is_shown_at_once_and_then_lives(
    server: ServerProcess, line: HeldLine, open_page: OpenPage, open_client: OpenClient
) -> None:
    """What `preloadQuery` gave in Node is there before anything arrives; then changes follow."""
    put(server, "early", 1, 2)
    preload = open_client("next", server).call("preload", "rooms:allMessages", room="early")
    put(server, "early", 3)
    line.hold()
    script = f"window.preloaded = {preload['payload']}"
    page = open_page("preloaded", lambda page: page.add_init_script(script), url=line.url)
    expect(page.locator("li")).to_have_text(["number 1", "number 2"])
    line.release()
    expect(page.locator("li")).to_have_text(["number 1", "number 2", "number 3"])
    put(server, "early", 4)
    expect(page.locator("li").last).to_have_text("number 4")


def test_a_story_is_read_while_it_is_written(open_page: OpenPage) -> None:
    """An action writes in batches; another tab sees the text grow, each state a whole batch."""
    teller, reader = (open_page("story", title="The river") for _ in range(2))
    for page in (teller, reader):
        expect(page.get_by_role("status")).to_have_text("…")
    teller.get_by_role("button", name="Tell it").click()
    for page in (reader, teller):
        expect(page.get_by_role("status")).to_have_text("The end")
        expect(page.locator("blockquote")).to_contain_text("the tables of a town")
        seen: list[str] = page.evaluate("window.seen")
        assert len(seen) > 4
        assert all(later.startswith(text) for text, later in pairwise(seen))
        assert all(len(text.split()) % 2 == 0 for text in seen[:-1])
