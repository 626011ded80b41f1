"""Recent timestamps: what is read at one is what was there, or an error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import Document, Id, Index, MutationCtx, QueryCtx, mutation, query
from headwater.core.calls import Call, Outcome
from headwater.core.work import Execute, Overhaul, Pin
from headwater.errors import InvalidValue, StorageFailure
from headwater.settings import Limits
from headwater.testing import Backend, FunctionFailed
from tests.headwater.core.things import backend_of


class Item(Document, table="items"):
    """A thing of a kind."""

    kind: str
    size: int
    by_kind = Index("kind")


@mutation
async def put(ctx: MutationCtx, kind: str, size: int) -> Id[Item]:
    """A new one."""
    return await ctx.db.insert(Item(kind=kind, size=size))


@mutation
async def change(ctx: MutationCtx, kind: str, size: int) -> None:
    """Moves the first of a size to another kind."""
    for item in await ctx.db.query(Item).collect():
        if item.size == size:
            return await ctx.db.patch(item.id, kind=kind)
    return None


@mutation
async def drop(ctx: MutationCtx, kind: str) -> None:
    """Removes the first of a kind."""
    first = await ctx.db.query(Item).with_index("by_kind", kind=kind).first()
    if first is not None:
        await ctx.db.delete(first.id)


@query
async def everything(ctx: QueryCtx) -> list[list[Any]]:
    """By both orders, and each by its id."""
    items = await ctx.db.query(Item).collect()
    kinds = [
        [item.kind, item.size]
        for kind in "ab"
        for item in await ctx.db.query(Item).with_index("by_kind", kind=kind).collect()
    ]
    found = [await ctx.db.get(item.id) for item in items]
    return [kinds, [[item.kind, item.size] for item in found if item]]


def world(**limits: Any) -> Backend:
    """A backend of items."""
    return backend_of(
        Item, put, change, drop, everything, limits=Limits(**{"function_limit_s": 60.0, **limits})
    )


def pin(backend: Backend) -> int:
    """A timestamp to read at."""
    pinned: list[int] = []
    backend._host.process(Pin(pinned.append))
    return pinned[0]


def at(backend: Backend, ts: int) -> Outcome:
    """Everything, at a timestamp."""
    outcomes: list[Outcome] = []
    call = Call("things:everything", "query", {}, at_ts=ts)
    backend._host.process(Execute(call, lambda outcome, _ts: outcomes.append(outcome)))
    return outcomes[0]


STEPS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from("ab"), st.integers(0, 3)),
    st.tuples(st.just("change"), st.sampled_from("ab"), st.integers(0, 3)),
    st.tuples(st.just("drop"), st.sampled_from("ab")),
    st.tuples(st.just("pin")),
    st.tuples(st.just("wait"), st.integers(1, 20)),
)


@given(st.lists(STEPS, max_size=30))
def test_every_timestamp_reads_what_was_there(steps: list[tuple[Any, ...]]) -> None:
    """For any writes, pins and pauses; one that is gone is an error, never other data."""
    backend = world()
    seen: dict[int, bytes | None] = {}
    for step, *args in steps:
        if step == "pin":
            ts = pin(backend)
            seen[ts] = at(backend, ts).value
        elif step == "wait":
            backend.advance(seconds=args[0])
        else:
            named = dict(zip(("kind", "size"), args, strict=False))
            backend.mutation(f"things:{step}", named)
        for ts, value in seen.items():
            outcome = at(backend, ts)
            gone = outcome.failure is not None and outcome.failure.overloaded == "SnapshotGone"
            assert gone or outcome.value == value
    backend.close()


@pytest.mark.parametrize(("seconds", "readable"), [(30, True), (30.1, False)])
def test_snapshot_s_is_a_limit(seconds: float, readable: bool) -> None:
    """Readable so long; later it is gone, once something was written."""
    backend = world()
    ts = pin(backend)
    backend.mutation(put, kind="a", size=1)
    backend.advance(seconds=seconds)
    assert (at(backend, ts).failure is None) is readable
    backend.close()


@pytest.mark.parametrize(("bytes_", "readable"), [(10_000, True), (600, False)])
def test_snapshot_bytes_is_a_limit(bytes_: int, readable: bool) -> None:
    """What is kept for such reads is bounded; more ends them and no write."""
    backend = world(snapshot_bytes=bytes_)
    ts = pin(backend)
    for _ in range(5):
        backend.mutation(put, kind="a", size=1)
    assert (at(backend, ts).failure is None) is readable
    assert backend._host.engine.database.snapshots.watching is readable
    backend.close()


def test_the_newest_timestamp_is_always_there() -> None:
    """Though nobody asked for it, and long ago."""
    backend = world()
    backend.mutation(put, kind="a", size=1)
    ts = backend._host.engine.last_ts
    backend.advance(days=1)
    assert at(backend, ts).failure is None
    backend.close()


def test_without_a_pin_nothing_is_kept() -> None:
    """And after its time nothing any more: writes pay for nobody."""
    backend = world()
    backend.mutation(put, kind="a", size=1)
    snapshots = backend._host.engine.database.snapshots
    assert not snapshots.watching
    pin(backend)
    backend.mutation(put, kind="a", size=1)
    assert snapshots.watching
    backend.advance(minutes=1)
    backend.mutation(put, kind="a", size=1)
    assert (snapshots.watching, snapshots._bytes, len(snapshots._changes)) == (False, 0, 0)
    backend.close()


def test_a_lost_commit_is_not_undone() -> None:
    """What never happened cannot be taken back."""

    def full() -> None:
        raise StorageFailure("the disk is full")

    backend = world()
    backend.mutation(put, kind="a", size=1)
    ts = pin(backend)
    before = at(backend, ts).value
    backend.clock.faults["commit"] = full
    with pytest.raises(FunctionFailed, match="the disk is full"):
        backend.mutation(put, kind="a", size=2)
    backend.clock.faults.clear()
    backend.mutation(put, kind="b", size=3)
    assert at(backend, ts).value == before
    backend.close()


def test_an_import_ends_every_timestamp_before_it() -> None:
    """It keeps nothing of what it replaces."""
    backend = world()
    backend.mutation(put, kind="a", size=1)
    ts = pin(backend)
    ended: list[BaseException | None] = []
    backend._host.process(Overhaul(lambda _database: None, lambda _value, why: ended.append(why)))
    failure = at(backend, ts).failure
    assert ended == [None]
    assert failure is not None
    assert failure.overloaded == "SnapshotGone"
    assert at(backend, pin(backend)).failure is None
    backend.close()


def test_a_timestamp_to_come_is_refused() -> None:
    """It cannot be read before it is there."""
    backend = world()
    failure = at(backend, backend._host.engine.last_ts + 1).failure
    assert failure is not None
    assert "newer than the database" in failure.message
    assert InvalidValue.shown_as in failure.message
    backend.close()
