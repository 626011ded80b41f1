"""Calls made in unusual ways: replayed, with a write refused, together, looked at in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater_workshop.checks import CheckFailed, Lab
from tests.workshop.labs import made_lab

SCHEMA = """
from headwater import Document, Index

class Move(Document, table="moves"):
    to: str
    at: float = 0
    chance: float = 0
    by_to = Index("to")

class Counter(Document, table="counters"):
    key: str
    value: int
    by_key = Index("key")
"""
MOVES = """
import time, random
from headwater import ActionCtx, MutationCtx, QueryCtx, action, mutation, query
from backend.schema import Counter, Move

remembered = []

@mutation
async def good(ctx: MutationCtx, to: str) -> float:
    await ctx.db.insert(Move(to=to, at=ctx.now, chance=ctx.random.random()))
    await add(ctx, to, 1)
    return ctx.random.random()

@mutation
async def by_clock(ctx: MutationCtx, to: str) -> None:
    await ctx.db.insert(Move(to=to, at=time.time()))

@mutation
async def by_memory(ctx: MutationCtx, to: str) -> int:
    remembered.append(to)
    for _ in remembered:
        await ctx.db.insert(Move(to=to))
    return len(remembered)

@mutation
async def swallows(ctx: MutationCtx, to: str) -> None:
    await add(ctx, "from", -1)
    try:
        await add(ctx, to, 1)
    except Exception:
        pass

@mutation
async def count(ctx: MutationCtx, key: str) -> int:
    return await add(ctx, key, 1)

@query
async def counted(ctx: QueryCtx, key: str) -> int:
    counter = await ctx.db.query(Counter).with_index("by_key", key=key).unique()
    return 0 if counter is None else counter.value

@mutation
async def put(ctx: MutationCtx, key: str, value: int) -> None:
    counter = await ctx.db.query(Counter).with_index("by_key", key=key).unique()
    if counter is None:
        await ctx.db.insert(Counter(key=key, value=value))
    else:
        await ctx.db.patch(counter.id, value=value)

@action
async def count_in_steps(ctx: ActionCtx, key: str) -> int:
    seen = await ctx.run_query(counted, key=key)
    await ctx.run_mutation(put, key=key, value=seen + 1)
    return seen

async def add(ctx: MutationCtx, key: str, by: int) -> int:
    counter = await ctx.db.query(Counter).with_index("by_key", key=key).unique()
    if counter is None:
        await ctx.db.insert(Counter(key=key, value=by))
        return by
    await ctx.db.patch(counter.id, value=counter.value + by)
    return counter.value + by
"""
FILES = {"schema.py": SCHEMA, "moves.py": MOVES}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab whose functions are right and wrong in several ways."""
    made = made_lab(tmp_path, files=FILES)
    yield made
    made.close()


def test_a_function_that_uses_ctx_alone_does_the_same_in_every_world(lab: Lab) -> None:
    """Ids, time and chance are the same each time, and nothing is kept."""
    lab.anonymous.mutation("moves:good", {"to": "a"})
    replay = lab.replay(lab.anonymous, "moves:good", {"to": "a"})
    assert (replay.same, replay.fields) == (True, ())
    assert [len(attempt.changes) for attempt in replay.attempts] == [2, 2, 2]
    assert len({repr(attempt.changes) for attempt in replay.attempts}) == 1
    assert len(lab.documents("moves")) == 1
    assert lab.anonymous.attempt("moves:good", {"to": "a"}).ok


def test_what_came_from_elsewhere_is_named_by_its_field(lab: Lab) -> None:
    """The machine's clock goes on between two runs, even without a shift."""
    replay = lab.replay(lab.anonymous, "moves:byClock", {"to": "a"})
    assert (replay.same, replay.fields) == (False, ("moves.at",))


def test_what_a_module_remembers_shows(lab: Lab) -> None:
    """Each world has made the call another number of times."""
    replay = lab.replay(lab.anonymous, "moves:byMemory", {"to": "a"})
    assert replay.fields == ("moves._id", "result")


def test_queries_are_replayed_too(lab: Lab) -> None:
    """They write nothing, so what they return is compared."""
    assert lab.replay(lab.anonymous, "moves:counted", {"key": "a"}, kind="query").same


def test_actions_are_not_replayed(lab: Lab) -> None:
    """What one did outside of the database cannot be taken back."""
    with pytest.raises(ValueError, match="stays done"):
        lab.replay(lab.anonymous, "moves:countInSteps", {"key": "a"}, kind="action")


def test_a_refused_write_undoes_the_whole_call_unless_it_is_swallowed(lab: Lab) -> None:
    """Half a change is seen by the check; a whole transaction leaves nothing."""
    with lab.break_write(2):
        refused = lab.anonymous.attempt("moves:good", {"to": "a"})
        half = lab.anonymous.attempt("moves:swallows", {"to": "a"})
    assert (refused.ok, refused.changes) == (False, ())
    assert "refused this write" in refused.text
    assert [change.document and change.document["key"] for change in half.changes] == ["from"]
    assert lab.anonymous.attempt("moves:swallows", {"to": "a"}).writes == 2


def test_mutations_together_are_one_after_the_other(lab: Lab) -> None:
    """Each sees what those before it did; their order is by chance."""
    calls = [(lab.person(f"p{n}"), "moves:count", {"key": "a"}) for n in range(20)]
    values = [attempt.value for attempt in lab.together(calls)]
    assert sorted(values) == [float(n) for n in range(1, 21)]
    assert values != sorted(values)


def test_each_of_several_calls_has_its_own_changes(lab: Lab) -> None:
    """What one did is not said of another."""
    calls = [(lab.anonymous, "moves:count", {"key": key}) for key in ("a", "b")]
    for attempt, key in zip(lab.together(calls), ("a", "b"), strict=True):
        assert [change.document and change.document["key"] for change in attempt.changes] == [key]


def test_actions_together_take_turns_at_every_step(lab: Lab) -> None:
    """A read in one step and a write in the next lose updates; what is lost is seen."""
    calls = [(lab.anonymous, "moves:countInSteps", {"key": "a"}) for _ in range(10)]
    attempts = lab.together(calls, kind="action")
    assert all(attempt.ok and len(attempt.changes) <= 1 for attempt in attempts)
    assert lab.anonymous.query("moves:counted", {"key": "a"}) < 10


def test_somebody_looks_between_two_commits_of_one_call(lab: Lab) -> None:
    """After each commit inside, and never after."""
    seen: list[float] = []

    def look() -> None:
        seen.append(lab.anonymous.query("moves:counted", {"key": "a"}))
        lab.insert("moves", {"to": "somebody", "at": 0.0, "chance": 0.0})

    with lab.between(look):
        lab.anonymous.mutation("moves:count", {"key": "a"})
        lab.anonymous.mutation("moves:count", {"key": "a"})
        lab.anonymous.attempt("moves:count", {"key": 3})
    lab.anonymous.mutation("moves:count", {"key": "a"})
    assert seen == [1, 2]


@pytest.mark.parametrize(("path", "kind"), [("count", "mutation"), ("countInSteps", "action")])
def test_what_is_found_in_between_ends_the_check(path: str, kind: Any, lab: Lab) -> None:
    """Not the call in whose midst it was found: its handler never hears of it."""

    def look() -> None:
        lab.fail("M205", seen="half a change", fix="make it one", more="L3")

    with lab.between(look), pytest.raises(CheckFailed, match="half a change"):
        lab.anonymous.attempt(f"moves:{path}", {"key": "a"}, kind=kind)
    assert lab.anonymous.query("moves:counted", {"key": "a"}) == 1
