"""wire.md 3.3: writing, transactions, determinism."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from headwater import UNSET, AppError, MutationCtx, QueryCtx
from headwater.core.requests import Insert, Range, Scan
from headwater.errors import Conflict, HeadwaterError
from headwater.settings import Limits
from tests.headwater.core.stores import Store
from tests.semantics.probe import Probe, Task, nested


@pytest.fixture
def probe() -> Probe:
    """An empty backend."""
    return Probe()


async def stored(ctx: QueryCtx) -> Any:
    """The titles of all tasks."""
    return [task.title for task in await ctx.db.query(Task).collect()]


def test_patch_is_a_shallow_merge(probe: Probe) -> None:
    """undefined removes a field, `{}` is a no-op, a nested object is replaced as a whole."""

    async def run(ctx: MutationCtx) -> Any:
        made = await ctx.db.insert("notes", {"a": 1, "b": 2, "c": {"x": 1, "y": 2}})
        await ctx.db.patch(made, {})
        await ctx.db.patch(made, {"a": UNSET, "c": {"x": 9}, "d": None})
        found = await ctx.db.get("notes", made)
        assert found is not None
        return {name: value for name, value in found.items() if not name.startswith("_")}

    assert probe.mutation(run) == {"b": 2, "c": {"x": 9}, "d": None}


def test_replace_drops_absent_fields(probe: Probe) -> None:
    """And keeps the id and the creation time."""

    async def run(ctx: MutationCtx) -> Any:
        made = await ctx.db.insert("notes", {"a": 1})
        before = await ctx.db.get("notes", made)
        await ctx.db.replace(made, {"b": 2})
        return [before, await ctx.db.get("notes", made)]

    before, after = probe.mutation(run)
    assert {**before, "b": 2} == {**after, "a": 1}
    assert "a" not in after


@pytest.mark.parametrize("operation", ["delete", "patch", "replace"])
def test_writing_a_missing_id_raises(probe: Probe, operation: str) -> None:
    """Also one that was there a moment ago."""

    async def run(ctx: MutationCtx) -> None:
        made = await ctx.db.insert(Task(title="a"))
        await ctx.db.delete(made)
        rests: dict[str, list[Any]] = {
            "replace": [Task(title="b")],
            "patch": [{"title": "b"}],
            "delete": [],
        }
        await getattr(ctx.db, operation)(made, *rests[operation])

    with pytest.raises(HeadwaterError, match=f"{operation.capitalize()} on nonexistent document"):
        probe.mutation(run)


def test_isolation_is_by_ranges_read() -> None:
    """A reader of "no such title" conflicts with the insert of one, and with no other insert."""
    store = Store()
    reader = store.begin(writable=False)
    reader.answer(Scan(Range("tasks", "by_title", [("title", "new")]), None))
    reader.finish()
    for title, conflicts in (("new", True), ("other", False)):
        writer = store.begin()
        writer.answer(Insert("tasks", {"title": title}))
        assert reader.reads.overlaps(writer.overlay.write_set().keys) == conflicts


def test_a_conflict_runs_the_mutation_from_scratch(probe: Probe) -> None:
    """Four more times; what it wrote before is not there, what it did to globals repeats."""
    attempts: list[int] = []

    async def run(ctx: MutationCtx) -> Any:
        attempts.append(len(await ctx.db.query(Task).collect()))
        await ctx.db.insert(Task(title="a"))
        if len(attempts) < 5:
            raise Conflict

    probe.mutation(run)
    assert attempts == [0] * 5
    assert probe.query(stored) == ["a"]


def test_nested_mutation_is_a_sub_transaction(probe: Probe) -> None:
    """It sees what was written, and when it raises, only its own writes roll back."""

    async def inner(ctx: MutationCtx) -> None:
        await ctx.db.insert(Task(title="inner"))
        first = await ctx.db.query(Task).first()
        assert first is not None
        await ctx.db.patch(first.id, title="changed")
        raise AppError("no")

    async def outer(ctx: MutationCtx) -> Any:
        await ctx.db.insert(Task(title="before"))
        with pytest.raises(AppError, match="no"):
            await nested(ctx)
        await ctx.db.insert(Task(title="after"))
        return await stored(ctx)

    assert probe.mutation(outer, inner) == ["before", "after"]
    assert probe.query(stored) == ["before", "after"]


def test_nested_mutation_that_succeeds_is_a_part(probe: Probe) -> None:
    """Its writes are seen at once, and undone with the whole."""

    async def inner(ctx: MutationCtx) -> None:
        await ctx.db.insert(Task(title="inner"))

    async def outer(ctx: MutationCtx) -> Any:
        await nested(ctx)
        assert await stored(ctx) == ["inner"]
        raise AppError("all of it")

    with pytest.raises(AppError, match="all of it"):
        probe.mutation(outer, inner)
    assert probe.query(stored) == []


def test_rollback_of_an_uncaught_error(probe: Probe) -> None:
    """Nothing of the mutation is kept, nobody who follows is told."""
    followed = probe.follow(stored)

    async def run(ctx: MutationCtx) -> None:
        await ctx.db.insert(Task(title="a"))
        raise ValueError("no")

    with pytest.raises(HeadwaterError, match="Uncaught ValueError: no"):
        probe.mutation(run)
    assert (followed.updates, followed.runs) == ([[]], 1)


def test_time_and_randomness_are_frozen(probe: Probe) -> None:
    """`now` does not move within a mutation; `random` repeats when it is run again."""
    seen: list[Any] = []

    async def run(ctx: MutationCtx) -> Any:
        seen.append([ctx.now, ctx.now, ctx.random.random()])
        return ctx.random.random()

    probe.mutation(run)
    (now, again, chance), *_ = seen
    assert now == again == probe.backend.clock.now_ms()
    probe.backend.advance(ms=5)
    probe.mutation(run)
    assert seen[1][0] == now + 5
    assert seen[1][2] != chance


def test_queries_have_no_clock(probe: Probe) -> None:
    """A result that depends on the time could not be kept; the time is an argument."""

    async def run(ctx: QueryCtx) -> Any:
        return [hasattr(ctx, name) for name in ("now", "random")]

    assert probe.query(run) == [False, False]


def test_equal_queries_are_run_once(probe: Probe) -> None:
    """The cache is the subscription: same function, same arguments, and the same caller if read."""
    first, second = probe.follow(stored), probe.follow(stored)
    assert (first.runs, second.runs) == (1, 1)
    assert probe.backend.engine_stats.query_runs == 1


def test_errors_are_not_kept(probe: Probe) -> None:
    """A query that failed runs again for the next who asks."""
    outcomes = [AppError("once"), None]

    async def run(_ctx: QueryCtx) -> Any:
        error = outcomes.pop(0)
        if error is not None:
            raise error
        return "fine"

    with pytest.raises(AppError):
        probe.query(run)
    assert probe.query(run) == "fine"


@pytest.mark.parametrize("value", [{"a": [1, object()]}, {"a": {"b": 2**53 + 1}}, {"a": {1: 2}}])
def test_unserializable_values_name_their_path(probe: Probe, value: Any) -> None:
    """In documents and in results."""

    async def write(ctx: MutationCtx) -> None:
        await ctx.db.insert("notes", value)

    async def give(_ctx: QueryCtx) -> Any:
        return value

    with pytest.raises(HeadwaterError, match=r"a\[1\]|a\.b|at a"):
        probe.mutation(write)
    with pytest.raises(HeadwaterError, match=r"a\[1\]|a\.b|at a"):
        probe.query(give)


def test_array_length_is_a_limit(probe: Probe) -> None:
    """8192 elements; one more is refused by path, in a document as in a result."""
    for count, fits in ((8192, True), (8193, False)):

        async def write(ctx: MutationCtx, count: int = count) -> None:
            await ctx.db.insert("notes", {"list": [0] * count})

        if fits:
            probe.mutation(write)
            continue
        with pytest.raises(HeadwaterError, match="list is an array of 8193 elements, the limit"):
            probe.mutation(write)


def test_a_page_of_bodies_does_not_fill_the_memory() -> None:
    """A read that is over its bytes stops loading long before its documents."""
    probe = Probe(Limits(bytes_read=100_000, function_limit_s=60.0))

    async def fill(ctx: MutationCtx) -> None:
        for _ in range(2000):
            await ctx.db.insert("notes", {"body": "x" * 5000})

    probe.mutation(fill)
    database = probe.backend._host.engine.database
    database.reset()
    gc.collect()

    async def run(ctx: QueryCtx) -> Any:
        return len(await ctx.db.query("notes").collect())

    with pytest.raises(HeadwaterError, match="limit of 100000 bytes read"):
        probe.query(run)
    assert len(database._cache) <= 64
