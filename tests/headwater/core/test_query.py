"""`ctx.db.query(...)`: built step by step, run once."""

from __future__ import annotations

from typing import Any

import pytest

from headwater import (
    UNSET,
    Document,
    Index,
    MutationCtx,
    PaginationOptions,
    PaginationResult,
    QueryCtx,
    mutation,
    query,
)
from headwater.testing import Backend, FunctionFailed
from tests.headwater.core.things import backend_of


class Task(Document, table="tasks"):
    """Tasks by rank; some have none."""

    title: str
    rank: int | None = None
    by_rank = Index("rank", "title")


@mutation
async def fill(ctx: MutationCtx) -> None:
    """a to d of ranks 1, 2, 2, and e of none."""
    for title, rank in (("a", 1), ("b", 2), ("c", 2), ("d", 3), ("e", None)):
        await ctx.db.insert(Task(title=title, rank=rank))


steps: list[Any] = []
"""How the next `run` asks; set by `titles`."""


@query
async def run(ctx: QueryCtx) -> Any:
    """What the steps give."""
    return await steps[0](ctx.db.query(Task))


@pytest.fixture
def backend() -> Backend:
    """Five tasks."""
    made = backend_of(Task, fill, run)
    made.mutation(fill)
    return made


def asked(backend: Backend, how: Any) -> Any:
    """The result of a query of tasks."""
    steps[:] = [how]
    return backend.query(run)


def titles(backend: Backend, how: Any) -> str:
    """The titles of what a query of tasks gives."""
    return "".join(task["title"] for task in asked(backend, how))


@pytest.mark.parametrize(
    ("range_", "found"),
    [
        ({}, "eabcd"),
        ({"rank": 2}, "bc"),
        ({"rank": None}, "e"),
        ({"rank": UNSET}, "e"),
        ({"rank__gte": 2}, "bcd"),
        ({"rank__gt": 1, "rank__lt": 3}, "bc"),
        ({"rank__lte": 1}, "ea"),
        ({"rank": 2, "title__gt": "b"}, "c"),
    ],
)
def test_ranges_are_lookups(backend: Backend, range_: dict[str, Any], found: str) -> None:
    """Equal fields, then one range; None asks for an absent optional field."""
    assert titles(backend, lambda q: q.with_index("by_rank", **range_).collect()) == found


def test_endings(backend: Backend) -> None:
    """take, first, unique, and what is not there."""
    assert titles(backend, lambda q: q.order("desc").take(2)) == "ed"
    assert titles(backend, lambda q: q.take(0)) == ""
    assert asked(backend, lambda q: q.first())["title"] == "a"
    assert asked(backend, lambda q: q.with_index("by_rank", rank=3).unique())["title"] == "d"
    assert asked(backend, lambda q: q.with_index("by_rank", rank=9).unique()) is None


def test_unique_refuses_a_second_one(backend: Backend) -> None:
    """It names the table."""
    with pytest.raises(FunctionFailed, match="returned more than one result from table tasks"):
        asked(backend, lambda q: q.with_index("by_rank", rank=2).unique())


def test_filters_are_code_and_what_they_drop_was_read(backend: Backend) -> None:
    """Five tasks are read for one; a take stops as soon as it has enough."""
    assert titles(backend, lambda q: q.filter(lambda task: task.title == "d").collect()) == "d"
    assert backend.stats.documents_read == 5
    assert titles(backend, lambda q: q.filter(lambda task: task.rank == 2).take(1)) == "b"
    assert backend.stats.documents_read == 2


def test_iteration_reads_as_far_as_it_goes(backend: Backend) -> None:
    """A break leaves the rest unread."""

    async def until_c(tasks: Any) -> list[Any]:
        found = []
        async for task in tasks:
            found.append(task)
            if task.title == "c":
                break
        return found

    assert titles(backend, until_c) == "abc"
    assert backend.stats.documents_read == 3


def test_a_filtered_page_is_filled(backend: Backend) -> None:
    """It reads on until it has as many as were asked for, and no further."""
    options = PaginationOptions(num_items=2, cursor=None)
    page = asked(backend, lambda q: q.filter(lambda task: task.rank == 2).paginate(options))
    assert [task["title"] for task in page["page"]] == ["b", "c"]
    assert not page["isDone"]
    assert backend.stats.documents_read == 3


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (lambda q: q.with_index("by_rank").with_index("by_rank").collect(), "called twice"),
        (lambda q: q.order("asc").order("desc").collect(), "order\\(\\) was called twice"),
        (lambda q: q.order("up").collect(), 'takes "asc" or "desc", not \'up\''),
        (lambda q: q.take(-1), "the count is 0 or more"),
        (lambda q: q.with_index("by_rank", rank__near=1).collect(), "unknown lookup `near`"),
        (
            lambda q: q.with_index("by_rank", rank__gt=1, rank__gte=1).collect(),
            "one lower and one upper bound",
        ),
        (lambda q: q.with_index("by_rnk").collect(), "Did you mean `by_rank`"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(backend: Backend, how: Any, message: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(FunctionFailed, match=message):
        asked(backend, how)


def test_a_query_runs_once(backend: Backend) -> None:
    """It is built anew for a second time."""

    async def twice(tasks: Any) -> Any:
        await tasks.collect()
        return await tasks.collect()

    with pytest.raises(FunctionFailed, match=r"a query runs once; build it anew"):
        asked(backend, twice)


def test_a_page_keeps_its_place_with_other_items(backend: Backend) -> None:
    """`with_page` is for pages of something made of the documents."""

    async def names(tasks: Any) -> PaginationResult[str]:
        page = await tasks.paginate(PaginationOptions(num_items=2, cursor=None))
        made: PaginationResult[str] = page.with_page([task.title for task in page.page])
        return made

    page = asked(backend, names)
    assert page["page"] == ["a", "b"]
    assert page["splitCursor"] is page["pageStatus"] is None
