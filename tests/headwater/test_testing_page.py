"""The simulated page: what an official client does with optimistic updates, in small."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from headwater.testing_page import LocalStore, Page, SimulatedPage

LIST = "notes:list"


class Notes:
    """A server with one list, newest first, that refuses what is called "no"."""

    def __init__(self) -> None:
        self.notes: list[str] = ["old"]

    def query(self, path: str, arguments: dict[str, Any], /) -> list[str]:
        """The list."""
        assert (path, arguments) == (LIST, {})
        return list(self.notes)

    def mutation(self, _path: str, arguments: dict[str, Any], /) -> None:
        """Adds a note."""
        if arguments["text"] == "no":
            raise NotImplementedError
        self.notes.insert(0, arguments["text"])


def add_optimistically(store: LocalStore, arguments: dict[str, Any]) -> None:
    """Shows the note on top."""
    store.set_query(LIST, {}, [arguments["text"], *store.get_query(LIST)])


def add_in_place(store: LocalStore, arguments: dict[str, Any]) -> None:
    """Changes what the client has."""
    notes = store.get_query(LIST)
    notes.insert(0, arguments["text"])
    store.set_query(LIST, {}, notes)


def code(update: Any = add_optimistically) -> ModuleType:
    """A page's code, as a module has it."""
    made = ModuleType("page")

    def create(page: Page, title: str) -> None:
        page.mutation("notes:add", {"text": title}, optimistic_update=update)

    def shown(page: Page) -> Any:
        return page.query(LIST) or []

    vars(made).update(create=create, shown=shown)
    return made


def opened(server: Notes, update: Any = add_optimistically) -> SimulatedPage:
    """A page in front of it, 800 ms away."""
    return SimulatedPage(code(update), server, queries=(LIST,))


def test_an_update_is_seen_at_once_and_gone_with_the_answer() -> None:
    """Between them the server has it already, and the page shows it once."""
    server = Notes()
    page = opened(server)
    page.create("new")
    for ms in (0, 399, 2, 398, 2):
        page.wait(ms=ms)
        assert page.shown() == ["new", "old"]
    assert server.notes == ["new", "old"]


def test_without_an_update_nothing_is_seen_until_the_answer() -> None:
    """It comes after the whole way there and back."""
    page = opened(Notes(), None)
    page.create("new")
    page.wait(ms=799)
    assert page.shown() == ["old"]
    page.wait(ms=1)
    assert page.shown() == ["new", "old"]


def test_updates_lie_in_their_order_over_whatever_is_pushed() -> None:
    """A push from elsewhere goes below them; the first answer takes only its own away."""
    server = Notes()
    page = opened(server)
    page.create("one")
    page.wait(ms=100)
    page.create("two")
    server.notes.insert(0, "else")
    page.told()
    assert page.shown() == ["two", "one", "else", "old"]
    page.wait(ms=700)
    assert page.shown() == ["two", "one", "else", "old"]


@pytest.mark.parametrize(("update", "left"), [(add_optimistically, []), (add_in_place, ["no"])])
def test_a_refusal_takes_back_what_was_not_changed_in_place(update: Any, left: list[str]) -> None:
    """What an update has changed in place is changed for good: there is no other copy."""
    server = Notes()
    server.mutation = refuse  # type: ignore[method-assign]
    page = opened(server, update)
    page.create("no")
    assert page.shown() == ["no", "old"]
    page.wait(ms=800)
    assert page.shown() == [*left, "old"]
    assert (page.refused, page.changed_in_place > 0) == (1, bool(left))


def refuse(_path: str, _arguments: dict[str, Any], /) -> None:
    """A server that takes nothing."""
    from headwater.testing import FunctionFailed

    raise FunctionFailed("no")


def test_what_is_not_loaded_is_none() -> None:
    """For an update and for the page."""
    page = SimulatedPage(
        code(lambda store, _: missing.append(store.get_query(LIST))), Notes(), queries=()
    )
    missing: list[Any] = []
    page.create("new")
    assert (missing, page.shown()) == ([None], [])


def test_a_store_gives_what_was_set_and_asks_for_equal_arguments() -> None:
    """The arguments are a part of which query it is."""
    store = LocalStore([["a:b", {"x": 1.0}, "one"]])
    store.set_query("a:b", {"x": 2.0}, "two")
    assert [store.get_query("a:b", {"x": x}) for x in (1.0, 2.0, 3.0)] == ["one", "two", None]
    assert store.get_query("a:b") is None
