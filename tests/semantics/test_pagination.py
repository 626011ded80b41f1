"""Pages of a query, as `usePaginatedQuery` follows them (wire.md 3.2, Paginate)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import (
    Document,
    Index,
    MutationCtx,
    PaginationOptions,
    PaginationResult,
    QueryCtx,
    mutation,
    query,
)
from headwater.core.engine import Engine
from headwater.settings import Limits
from headwater.testing import Backend
from tests.headwater.core.things import backend_of
from tests.semantics.hook import Connection, Hook


class Item(Document, table="items"):
    """What is listed: by rank, some of them hidden."""

    rank: float
    hidden: bool = False
    body: str = ""
    by_rank = Index("rank")


@query
async def listed(
    ctx: QueryCtx,
    pagination_opts: PaginationOptions,
    newest: bool = False,
    filtered: bool = False,
    rows: int | None = None,
    bytes_read: int | None = None,
) -> PaginationResult[Item]:
    """A page of the items."""
    wishes = {"maximum_rows_read": rows, "maximum_bytes_read": bytes_read}
    options = pagination_opts.model_copy(update=wishes)
    items = ctx.db.query(Item).with_index("by_rank").order("desc" if newest else "asc")
    if filtered:
        items = items.filter(lambda item: not item.hidden)
    return await items.paginate(options)


@query
async def everything(ctx: QueryCtx, newest: bool = False, filtered: bool = False) -> list[Item]:
    """The items without pages."""
    items = ctx.db.query(Item).with_index("by_rank").order("desc" if newest else "asc")
    found = await items.collect()
    return [item for item in found if not (filtered and item.hidden)]


@query
async def halves(ctx: QueryCtx, count: int) -> list[Any]:
    """Two pages of one function: the visible and the hidden."""
    options = PaginationOptions(num_items=count, cursor=None)
    low = await ctx.db.query(Item).with_index("by_rank", rank__lt=0).paginate(options)
    high = await ctx.db.query(Item).with_index("by_rank", rank__gte=0).paginate(options)
    return [[item.rank for item in page.page] for page in (low, high)]


@mutation
async def add(ctx: MutationCtx, ranks: list[float], hidden: bool = False, body: str = "") -> None:
    """New items."""
    for rank in ranks:
        await ctx.db.insert(Item(rank=rank, hidden=hidden, body=body))


@mutation
async def move(ctx: MutationCtx, at: int, rank: float | None = None) -> None:
    """Another rank for the item at a place, or none: it is deleted."""
    found = await ctx.db.query(Item).with_index("by_rank").collect()
    if found and rank is None:
        await ctx.db.delete(found[at % len(found)].id)
    elif found:
        await ctx.db.patch(found[at % len(found)].id, rank=rank)


def items_backend(limits: Limits | None = None) -> Backend:
    """No items yet."""
    return backend_of(Item, listed, everything, halves, add, move, limits=limits)


def engine_of(backend: Backend) -> Engine:
    """The engine behind a backend, for clients that are more than a subscription."""
    return backend._host.engine


def ranks_of(page: dict[str, Any]) -> list[float]:
    """The ranks on a page."""
    return [item["rank"] for item in page["page"]]


def page_of(backend: Backend, count: int, cursor: Any = None, /, **arguments: Any) -> Any:
    """A page, as a client gets it."""
    options = {"numItems": float(count), "cursor": cursor}
    if "end" in arguments:
        options["endCursor"] = arguments.pop("end")
    return backend.query("things:listed", {"paginationOpts": options, **arguments})


@pytest.fixture
def backend() -> Backend:
    """Eight items, ranked 0 to 7."""
    made = items_backend()
    made.mutation(add, ranks=[float(rank) for rank in range(8)])
    return made


def test_paginate_split_cursor_is_the_middle_one(backend: Backend) -> None:
    """Of more than two documents, whatever the page's status: the hook splits grown pages by it."""
    page = page_of(backend, 5)
    assert page["pageStatus"] is None
    assert ranks_of(page_of(backend, 1, end=page["splitCursor"])) == [0, 1, 2]
    rest = page_of(backend, 1, page["splitCursor"], end=page["continueCursor"])
    assert ranks_of(rest) == [3, 4]
    assert page_of(backend, 2)["splitCursor"] is None


@pytest.mark.parametrize(
    ("rows", "expected", "status"),
    [
        (None, 6, None),
        (8, 6, None),  # six is three quarters of eight, and not more
        (7, 6, "SplitRecommended"),
        (6, 6, "SplitRequired"),
        (4, 4, "SplitRequired"),
        (1, 1, "SplitRequired"),
    ],
)
def test_paginate_maximum_rows_read(
    backend: Backend, rows: int | None, expected: int, status: str | None
) -> None:
    """Recommends a split over three quarters, and stops there and requires one at the number."""
    page = page_of(backend, 6, **({"rows": float(rows)} if rows else {}))
    assert (len(page["page"]), page["pageStatus"], page["isDone"]) == (expected, status, False)


def test_paginate_maximum_bytes_read() -> None:
    """Reads the document that goes beyond and none after it, so that each page makes progress."""
    backend = items_backend()
    backend.mutation(add, ranks=[1.0, 2.0, 3.0, 4.0], body="x" * 1000)
    page = page_of(backend, 4, bytesRead=2000.0)
    assert (len(page["page"]), page["pageStatus"]) == (2, "SplitRequired")
    assert len(page_of(backend, 4, bytesRead=1.0)["page"]) == 1
    assert page_of(backend, 4, bytesRead=5000.0)["pageStatus"] == "SplitRecommended"
    assert page_of(backend, 4, bytesRead=9000.0)["pageStatus"] is None


def test_paginate_recommends_a_split_near_the_transaction_limits() -> None:
    """Three quarters of what a call may read at all, without any wish of the client's."""
    backend = items_backend(Limits(documents_read=8, function_limit_s=60.0))
    backend.mutation(add, ranks=[float(rank) for rank in range(8)])
    assert page_of(backend, 6)["pageStatus"] is None
    assert page_of(backend, 7)["pageStatus"] == "SplitRecommended"


def test_paginate_end_cursor_is_read_to_exactly(backend: Backend) -> None:
    """Whatever number and rows were asked for; what came between belongs to the page."""
    end = page_of(backend, 4)["continueCursor"]
    backend.mutation(add, ranks=[0.5, 1.5, 3.5])
    page = page_of(backend, 1, end=end, rows=2.0)
    assert ranks_of(page) == [0, 0.5, 1, 1.5, 2, 3]
    assert page["continueCursor"] == end
    assert page["pageStatus"] == "SplitRecommended"


@pytest.mark.parametrize("name", ["numItems", "rows", "bytesRead"])
def test_paginate_of_nothing_is_an_error(backend: Backend, name: str) -> None:
    """No documents, no rows, no bytes: such a page would never come to an end."""
    arguments = {} if name == "numItems" else {name: 0.0}
    with pytest.raises(Exception, match="of 1 or more, not 0"):
        page_of(backend, 0 if name == "numItems" else 3, **arguments)


def test_paginate_an_exactly_full_last_page_is_not_done(backend: Backend) -> None:
    """The next one is empty and done; filtered or not."""
    for arguments in ({}, {"filtered": True}):
        full = page_of(backend, 8, **arguments)
        assert (len(full["page"]), full["isDone"]) == (8, False)
        rest = page_of(backend, 8, full["continueCursor"], **arguments)
        assert (rest["page"], rest["isDone"]) == ([], True)


def test_paginate_filter_fills_the_page(backend: Backend) -> None:
    """It reads past what the filter drops, as far as the client allows."""
    backend.mutation(add, ranks=[0.1, 0.2, 0.3, 0.4], hidden=True)
    page = page_of(backend, 3, filtered=True)
    assert ranks_of(page) == [0, 1, 2]
    assert backend.stats.documents_read == 7
    bounded = page_of(backend, 3, filtered=True, rows=4.0)
    assert (ranks_of(bounded), bounded["pageStatus"]) == ([0], "SplitRequired")


def test_paginate_several_in_one_function(backend: Backend) -> None:
    """Where Convex allows one; each keeps the end it had."""
    backend.mutation(add, ranks=[-3.0, -2.0, -1.0])
    followed = backend.subscribe("things:halves", {"count": 2.0})
    assert followed.value == [[-3, -2], [0, 1]]
    backend.mutation(add, ranks=[-2.5, 0.5])
    assert followed.value == [[-3, -2.5, -2], [0, 0.5, 1]]


def test_paginate_an_insert_makes_its_page_longer(backend: Backend) -> None:
    """And the page after it stays as it was: not even run again."""
    connection = Connection(engine_of(backend))
    hook = Hook(connection, "things:listed", {}, 3)
    hook.load_more(3)
    runs = backend.engine_stats.query_runs
    backend.mutation(add, ranks=[1.5])
    assert [item["rank"] for item in hook.results()[0]] == [0, 1, 1.5, 2, 3, 4, 5]
    assert backend.engine_stats.query_runs == runs + 1


def test_paginate_an_empty_result_reaches_to_the_end() -> None:
    """What is added to it later belongs to its first page, also after a reconnect."""
    backend = items_backend()
    connection = Connection(engine_of(backend))
    hook = Hook(connection, "things:listed", {}, 2)
    assert hook.results() == ([], "Exhausted")
    connection.reconnect()
    backend.mutation(add, ranks=[1.0, 2.0, 3.0])
    items, status = hook.results()
    assert ([item["rank"] for item in items], status) == ([1, 2, 3], "Exhausted")


def test_paginate_a_page_of_twice_the_size_is_split(backend: Backend) -> None:
    """By the client, with the cursor in its middle; nothing is missing or doubled meanwhile."""
    hook = Hook(Connection(engine_of(backend)), "things:listed", {}, 2)
    backend.mutation(add, ranks=[0.1, 0.2, 0.3])
    assert [item["rank"] for item in hook.results()[0]] == [0, 0.1, 0.2, 0.3, 1]
    assert hook.splits == 1


def test_paginate_a_required_split_ends(backend: Backend) -> None:
    """Pages of four rows at most, of which some are hidden: all of it is shown in the end."""
    backend.mutation(add, ranks=[rank / 10 for rank in range(30)], hidden=True)
    hook = Hook(Connection(engine_of(backend)), "things:listed", {"filtered": True, "rows": 4.0}, 3)
    for _ in range(20):
        hook.load_more(3)
    items, status = hook.results()
    assert [item["rank"] for item in items] == list(range(8))
    assert (status, hook.splits > 0) == ("Exhausted", True)


places = st.integers(0, 20)
ranks = st.integers(-4, 12).map(lambda n: n / 2)
changes = st.one_of(
    st.tuples(st.just("add"), st.lists(ranks, min_size=1, max_size=4), st.booleans()),
    st.tuples(st.just("move"), places, ranks),
    st.tuples(st.just("delete"), places, st.none()),
    st.tuples(st.just("more"), st.integers(1, 4), st.none()),
    st.tuples(st.just("reconnect"), st.none(), st.none()),
)
CHANGE: dict[str, Callable[[Backend, Hook, Connection, Any, Any], None]] = {
    "add": lambda b, _h, _c, some, hidden: b.mutation(add, ranks=some, hidden=hidden),
    "move": lambda b, _h, _c, at, rank: b.mutation(move, at=at, rank=rank),
    "delete": lambda b, _h, _c, at, _: b.mutation(move, at=at),
    "more": lambda _b, hook, _c, count, _: hook.load_more(count),
    "reconnect": lambda _b, _h, connection, _0, _1: connection.reconnect(),
}


@given(
    st.lists(ranks, max_size=12),
    st.lists(changes, max_size=12),
    st.fixed_dictionaries(
        {"newest": st.booleans(), "filtered": st.booleans()},
        optional={"rows": st.sampled_from([3.0, 5.0])},
    ),
    st.integers(1, 4),
)
def test_paginate_is_gapless_and_reactive(
    first: list[float], steps: list[Any], arguments: dict[str, Any], initial: int
) -> None:
    """Whatever comes and goes between the pages, they are a fresh result from its beginning on."""
    backend = items_backend()
    backend.mutation(add, ranks=first)
    connection = Connection(engine_of(backend))
    hook = Hook(connection, "things:listed", arguments, initial)
    wanted = {name: arguments[name] for name in ("newest", "filtered")}
    for kind, one, two in steps:
        CHANGE[kind](backend, hook, connection, one, two)
        items, status = hook.results()
        whole = backend.query("things:everything", wanted)
        assert items == whole[: len(items)]
        assert status in ("CanLoadMore", "Exhausted")
        assert status == "CanLoadMore" or len(items) == len(whole)
    assert hook.starts == 1
