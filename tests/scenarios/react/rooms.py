"""What tests of the pages share: messages, where they are put, which are shown."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.scenarios.server_process import ServerProcess, wait_for


def put(server: ServerProcess, room: str, *places: float) -> None:
    """Puts a message into each place."""
    for place in places:
        server.call("mutation", "rooms:put", room=room, place=place, body=f"number {place:g}")


def places(page: Page) -> list[float]:
    """The places of the messages shown, in the order shown."""
    shown: list[float] = page.evaluate(
        "[...document.querySelectorAll('li')].map(item => Number(item.dataset.place))"
    )
    return shown


def shows(page: Page, expected: list[float]) -> None:
    """Waits until exactly these messages are shown."""
    try:
        wait_for(lambda: places(page) == expected, "the messages")
    except AssertionError as error:
        raise AssertionError(f"{error}; shown {places(page)}, expected {expected}") from None
