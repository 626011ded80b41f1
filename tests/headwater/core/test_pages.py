"""Cursors: opaque, bound to their query, and good for the same place later."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from headwater.core.cursors import Seal
from headwater.core.manifest import IndexSpec, Manifest
from headwater.core.migration import adopt
from headwater.core.pages import PageBatch
from headwater.core.requests import Page, Range
from headwater.errors import InvalidCursor, QueryInvalid
from tests.headwater.core.stores import TASKS, Store


@pytest.fixture
def store() -> Store:
    """Five tasks, a to e."""
    made = Store()
    for title in "abcde":
        made.insert(title)
    return made


def page(store: Store, count: int, cursor: str | None = None, **options: Any) -> PageBatch:
    """A page of all tasks."""
    descending = options.pop("descending", False)
    request = Page(Range("tasks", descending=descending), count, cursor, **options)
    found: PageBatch = store.begin(writable=False).answer(request)
    return found


def titles(batch: PageBatch) -> str:
    """The titles of a page."""
    return "".join(stored.value["title"] for stored in batch.documents)


@pytest.mark.parametrize(
    ("descending", "expected"), [(False, ["ab", "cd", "e"]), (True, ["ed", "cb", "a"])]
)
def test_pages_follow_each_other(store: Store, descending: bool, expected: list[str]) -> None:
    """In either direction, until one is done."""
    pages = [page(store, 2, descending=descending)]
    while not pages[-1].done:
        pages.append(page(store, 2, pages[-1].cursor, descending=descending))
    assert [titles(one) for one in pages] == expected


def test_an_exactly_full_last_page_is_not_done(store: Store) -> None:
    """Only reading on shows the end: the next page is empty and done."""
    full = page(store, 5)
    assert (titles(full), full.done) == ("abcde", False)
    rest = page(store, 5, full.cursor)
    assert (titles(rest), rest.done) == ("", True)


def test_a_page_with_an_end_grows_and_shrinks(store: Store) -> None:
    """What is added inside it belongs to it; its neighbour does not move."""
    first = page(store, 2)
    store.insert("f")
    again = page(store, 2, end_cursor=first.cursor)
    assert (titles(again), again.cursor, again.done) == ("ab", first.cursor, False)
    last = page(store, 9, first.cursor)
    store.insert("g")
    assert titles(page(store, 1, first.cursor, end_cursor=last.cursor)) == "cdefg"


def test_a_cursor_of_another_query_is_refused(store: Store) -> None:
    """So is a text that is no cursor; clients start again on that error."""
    cursor = page(store, 2).cursor
    wrong = base64.urlsafe_b64encode(b"x" * 20).decode()
    for bad, descending in ((cursor, True), (wrong, False), ("no cursor", False)):
        with pytest.raises(InvalidCursor) as error:
            page(store, 2, bad, descending=descending)
        assert error.value.data["paginationError"] == "InvalidCursor"


def test_a_cursor_that_was_changed_is_refused(store: Store) -> None:
    """Cut anywhere, longer, any letter another one: nobody but the deployment makes cursors."""
    cursor = page(store, 2).cursor
    forged = [cursor[:length] for length in range(len(cursor))]
    forged += [f"{cursor}AAAA", f"AAAA{cursor}", cursor * 2]
    for place, letter in enumerate(cursor.rstrip("=")):
        forged.append(cursor[:place] + ("A" if letter != "A" else "B") + cursor[place + 1 :])
    for bad in forged:
        with pytest.raises(InvalidCursor):
            page(store, 2, bad)
        with pytest.raises(InvalidCursor):
            page(store, 2, end_cursor=bad)


def test_a_cursor_of_other_arguments_is_refused(store: Store) -> None:
    """Another bound is another query, though function and index are the same."""
    low, high = (Range("tasks", "by_rank", equal=[("rank", rank)]) for rank in (1.0, 2.0))
    cursor = page_of(store, low, None, []).cursor
    page_of(store, low, cursor, [])
    with pytest.raises(InvalidCursor):
        page_of(store, high, cursor, [])


def test_a_cursor_tells_nothing() -> None:
    """Neither the values it stands at nor, to another deployment, its place."""
    key, mark = bytes(range(32)), b"query"
    cursor = Seal(key).closed(b"a secret title", mark)
    assert b"secret" not in base64.urlsafe_b64decode(cursor)
    assert cursor == Seal(key).closed(b"a secret title", mark)
    assert Seal(key).opened(cursor, mark) == b"a secret title"
    with pytest.raises(InvalidCursor):
        Seal(key[::-1]).opened(cursor, mark)


def test_a_page_has_at_least_one_item(store: Store) -> None:
    """Zero would never come to an end."""
    with pytest.raises(QueryInvalid, match="num_items of 1 or more, not 0"):
        page(store, 0)


@pytest.mark.parametrize(
    ("maximum", "status"), [(None, None), (10, None), (6, "SplitRecommended"), (5, "SplitRequired")]
)
def test_a_long_page_asks_to_be_split(
    store: Store, maximum: int | None, status: str | None
) -> None:
    """Over three quarters of the rows it may read; in its middle."""
    found = page(store, 5, maximum_rows_read=maximum)
    assert found.status == status
    if status is not None:
        assert found.split_cursor is not None
        assert titles(page(store, 5, end_cursor=found.split_cursor)) == "abc"


def test_the_journal_ends_a_page_where_it_ended_before(store: Store) -> None:
    """A query run again gives the same page, however many have come."""
    first = page(store, 2)
    request = Page(Range("tasks", descending=True), 2, None)
    transaction = store.begin(writable=False, journal=[])
    newest = transaction.answer(request)
    store.insert("f")
    again = store.begin(writable=False, journal=transaction.journal)
    assert titles(newest) == "ed"
    assert titles(again.answer(Page(Range("tasks", descending=True), 2, None))) == "fed"
    assert first.cursor != newest.cursor


def test_a_cursor_ends_with_its_index(store: Store) -> None:
    """Made anew over other fields, the index has other places: the page begins anew, too."""
    by_rank = Range("tasks", "by_rank")
    transaction = store.begin(writable=False)
    first: PageBatch = transaction.answer(Page(by_rank, 2, None))
    table = replace(TASKS, indexes=(IndexSpec("by_rank", ("title",)),))
    adopt(store.database, Manifest({"tasks": table}))
    with pytest.raises(InvalidCursor):
        page_of(store, by_rank, first.cursor, [])
    assert titles(page_of(store, by_rank, None, transaction.journal)) == "ab"


def page_of(store: Store, range_: Range, cursor: str | None, journal: list[str]) -> PageBatch:
    """Two tasks of a range."""
    found: PageBatch = store.begin(writable=False, journal=journal).answer(Page(range_, 2, cursor))
    return found
