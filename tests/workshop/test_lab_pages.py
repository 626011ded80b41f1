"""The code of a page in the jail: what it answers, and what becomes of its mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from headwater.pipe import WorkerFailed
from headwater_workshop.lab.pages import PageBroken, PageProcess

CODE = """
opened = 0

def create(page, title):
    global opened
    opened += 1
    page.state["count"] = page.state.get("count", 0) + 1
    page.mutation("a:b", {"title": title}, optimistic_update=update)

def shown(page):
    return [page.state.get("count"), opened, *(page.query("a:list") or [])]

def update(store, arguments):
    store.set_query("a:list", {}, [arguments["title"], *store.get_query("a:list")])
"""
LOADED = [["a:list", {}, ["old"]]]


@contextmanager
def running(code: str) -> Iterator[PageProcess]:
    """A process with this code, and no longer than the block."""
    made = PageProcess({"tests/page.py": code}, "tests.page")
    try:
        yield made
    finally:
        made.close()


def order(**order: object) -> Mapping[str, object]:
    """An order about the loaded list."""
    return {"queries": LOADED, **order}


def open_and_show(page: PageProcess) -> None:
    """Two orders."""
    page.run({"do": "open"})
    page.run(order(do="show"))


def test_a_page_is_run_by_orders() -> None:
    """What it sends, what it shows and what an update sets come back as plain data."""
    with running(CODE) as page:
        page.run({"do": "open"})
        (command,) = page.run(order(do="create", title="new"))["commands"]
        assert (command["path"], command["optimistic"]) == ("a:b", True)
        written = page.run(order(do="update", number=1, arguments={"title": "new"}))["written"]
        assert written == [["a:list", {}, ["new", "old"]]]
        assert page.run(order(do="show"))["shown"] == [1, 1, "old"]
        page.run({"do": "open"})
        assert page.run(order(do="show"))["shown"] == [None, 0, "old"]


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("def shown(page): return [{1, 2}]", "no plain data"),
        ("def shown(page): return open('/etc/hostname').read()", "PermissionError"),
    ],
)
def test_an_error_of_its_code_is_told(code: str, word: str) -> None:
    """It is a finding for the learner, and no end of the process."""
    with running(code) as page:
        for _ in range(2):
            with pytest.raises(PageBroken, match=word):
                open_and_show(page)


def test_a_process_that_ends_is_named() -> None:
    """And what it did."""
    with running("import os\nos._exit(3)") as page, pytest.raises(WorkerFailed, match="code 3"):
        page.run({"do": "open"})
