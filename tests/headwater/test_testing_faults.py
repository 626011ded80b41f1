"""Faults on purpose: `backend.failing`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headwater import (
    ActionCtx,
    Document,
    MutationCtx,
    QueryCtx,
    action,
    internal_mutation,
    mutation,
    query,
)
from headwater.errors import Conflict, Overloaded, StorageFailure
from headwater.settings import Limits
from headwater.testing import Backend, FunctionFailed
from tests.headwater.core.things import backend_of


class Note(Document, table="notes"):
    """What was kept."""

    text: str


@mutation
async def add(ctx: MutationCtx, text: str) -> None:
    """Keeps a note."""
    await ctx.db.insert(Note(text=text))


@internal_mutation
async def note(ctx: MutationCtx, text: str) -> None:
    """The same, scheduled."""
    await ctx.db.insert(Note(text=text))


@mutation
async def later(ctx: MutationCtx, text: str) -> None:
    """Schedules it."""
    await ctx.scheduler.run_after(0, note, text=text)


@action
async def careful(ctx: ActionCtx) -> str:
    """Says what became of its mutation."""
    try:
        await ctx.run_mutation(add, text="a")
    except Overloaded:
        return "overloaded"
    return "kept"


@query
async def texts(ctx: QueryCtx) -> list[str]:
    """All notes."""
    return [found.text for found in await ctx.db.query(Note).collect()]


@pytest.fixture
def backend() -> Iterator[Backend]:
    """An empty backend."""
    made = backend_of(Note, add, note, later, careful, texts)
    yield made
    made.close()


@pytest.mark.parametrize("error", [Conflict(), Overloaded()])
def test_a_mutation_that_is_tried_again_gets_through(
    backend: Backend, error: Conflict | Overloaded
) -> None:
    """As often as the engine tries; it has happened once."""
    with backend.failing(error, times=Limits().mutation_retries) as fault:
        backend.mutation(add, text="a")
    assert fault.struck == Limits().mutation_retries
    assert backend.query(texts) == ["a"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Conflict(), "changed while it ran"),
        (Overloaded(), "The server is overloaded"),
        (StorageFailure("the disk is full"), "the disk is full"),
    ],
)
def test_a_fault_that_lasts_fails_the_mutation(
    backend: Backend, error: Conflict | Overloaded | StorageFailure, told: str
) -> None:
    """Nothing is kept and nothing pushed, until it is over."""
    followed = backend.subscribe(texts)
    with backend.failing(error), pytest.raises(FunctionFailed, match=told):
        backend.mutation(add, text="a")
    assert followed.updates == [[]]
    backend.mutation(add, text="b")
    assert followed.updates == [[], ["b"]]


def test_an_action_sees_its_mutation_fail(backend: Backend) -> None:
    """It may catch it, as its author meant to."""
    with backend.failing(Overloaded()):
        assert backend.action(careful) == "overloaded"
    assert backend.action(careful) == "kept"


def test_a_scheduled_call_is_put_off(backend: Backend) -> None:
    """And runs when the fault is over."""
    backend.mutation(later, text="a")
    with backend.failing(Conflict()):
        backend.advance(ms=1)
    assert backend.query(texts) == []
    backend.advance(minutes=1)
    assert backend.query(texts) == ["a"]


def test_queries_do_not_fail(backend: Backend) -> None:
    """They meet no conflict."""
    with backend.failing(Conflict()) as fault:
        assert backend.query(texts) == []
    assert fault.struck == 0


def test_a_fault_that_makes_no_sense_is_refused(backend: Backend) -> None:
    """With what to do instead."""
    with pytest.raises(TypeError, match="raise errors of your own in the function"):
        backend.failing(ValueError("x")).__enter__()  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="times is 1 or more, not 0"):
        backend.failing(Conflict(), times=0).__enter__()
