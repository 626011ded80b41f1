"""wire.md 3.2: reading. Pages have a file of their own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import MutationCtx, PaginationOptions, QueryCtx
from headwater.errors import HeadwaterError
from headwater.settings import Limits
from tests.semantics.probe import Probe, Task, Team


@pytest.fixture
def probe() -> Probe:
    """Tasks a to e of ranks 1, 2, 2, 3 and none."""
    made = Probe()
    made.mutation(fill)
    return made


async def fill(ctx: MutationCtx) -> None:
    """Five tasks."""
    for title, rank in (("a", 1), ("b", 2), ("c", 2), ("d", 3), ("e", None)):
        await ctx.db.insert(Task(title=title, rank=rank))


def titles(tasks: list[Any]) -> str:
    """Their titles."""
    return "".join(task.title if isinstance(task, Task) else task["title"] for task in tasks)


def test_default_order_is_by_creation_time(probe: Probe) -> None:
    """Ascending; `order` may be called once."""

    async def run(ctx: QueryCtx) -> Any:
        up, down = ctx.db.query(Task), ctx.db.query("tasks").order("desc")
        return titles(await up.collect()), titles(await down.collect())

    assert probe.query(run) == ["abcde", "edcba"]


def test_index_ties_are_by_creation_time(probe: Probe) -> None:
    """Then by id; a missing field is indexed as undefined, before null and every value."""

    async def run(ctx: QueryCtx) -> Any:
        found = await ctx.db.query(Task).with_index("by_rank").collect()
        return titles(found)

    assert probe.query(run) == "eabcd"


def test_by_creation_time_is_built_in(probe: Probe) -> None:
    """Its range may be asked for in every table, declared or not."""

    async def run(ctx: QueryCtx) -> Any:
        first = await ctx.db.query(Task).first()
        assert first is not None
        later = ctx.db.query("tasks").with_index(
            "by_creation_time", creation_time__gt=first.creation_time
        )
        return titles(await later.collect())

    assert probe.query(run) == "bcde"


def test_by_id_is_built_in(probe: Probe) -> None:
    """In the order of ids, of this table alone; with ranges, backwards, in pages."""

    async def teams(ctx: MutationCtx) -> None:
        for name in "xy":
            await ctx.db.insert(Team(name=name))

    probe.mutation(teams)

    async def run(ctx: QueryCtx) -> Any:
        whole = [task.id for task in await ctx.db.query(Task).with_index("by_id").collect()]
        team = await ctx.db.query(Team).first()
        assert team is not None
        by_id = {
            "one": ctx.db.query("tasks").with_index("by_id", id=whole[2]),
            "after": ctx.db.query("tasks").with_index("by_id", id__gt=whole[2]),
            "up to": ctx.db.query("tasks").with_index("by_id", id__lte=whole[2]).order("desc"),
            "of another table": ctx.db.query("tasks").with_index("by_id", id=team.id),
            "after a number": ctx.db.query("tasks").with_index("by_id", id__gt=1.0),
            "before a number": ctx.db.query("tasks").with_index("by_id", id__lt=1.0),
        }
        found = {name: [d["_id"] for d in await q.collect()] for name, q in by_id.items()}
        return [whole, found]

    whole, found = probe.query(run)
    assert whole == sorted(whole)
    assert len(whole) == 5
    assert found == {
        "one": whole[2:3],
        "after": whole[3:],
        "up to": whole[2::-1],
        "of another table": [],
        "after a number": whole,
        "before a number": [],
    }


@given(st.data())
def test_by_id_is_reactive_and_sees_own_writes(data: st.DataObject) -> None:
    """A commit in its range runs it again; a mutation finds there what it has just written."""
    probe = Probe()
    probe.mutation(fill)

    async def page(ctx: QueryCtx) -> Any:
        options = PaginationOptions(num_items=2, cursor=None)
        first = await ctx.db.query(Task).with_index("by_id").paginate(options)
        rest = options.model_copy(update={"cursor": first.continue_cursor, "num_items": 20})
        more = await ctx.db.query(Task).with_index("by_id").paginate(rest)
        return [task.id for task in first.page + more.page]

    followed = probe.follow(page)
    count, gone = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 4))

    async def change(ctx: MutationCtx) -> Any:
        found = await ctx.db.query(Task).with_index("by_id").collect()
        await ctx.db.delete(found[gone].id)
        made = [await ctx.db.insert(Task(title="new")) for _ in range(count)]
        seen = [task.id for task in await ctx.db.query(Task).with_index("by_id").collect()]
        assert seen == sorted({task.id for task in found} - {found[gone].id} | set(made))
        return seen

    told = probe.mutation(change)
    assert followed.value == told


@pytest.mark.parametrize(
    ("range_", "message"),
    [
        ({"title": "a"}, "equal fields come first in that order"),
        ({"rank__gt": 1, "title": "a"}, "equal fields come first"),
        ({"rank__gt": 1, "title__lt": "a"}, "then one range on the next field"),
        ({"nothing": 1}, "has no field `nothing`"),
        ({"rank": 1, "title": "a", "creation_time": 1.0, "id": "x"}, "has no field"),
    ],
)
def test_with_index_range_is_in_the_index_s_order(
    probe: Probe, range_: dict[str, Any], message: str
) -> None:
    """Equal fields, then at most one lower and one upper bound on the next."""

    async def run(ctx: QueryCtx) -> Any:
        return await ctx.db.query("tasks").with_index("by_rank", **range_).collect()

    with pytest.raises(HeadwaterError, match=message):
        probe.query(run)


def test_filter_counts_and_depends_on_what_it_drops(probe: Probe) -> None:
    """A filtered document that changes runs the query again."""

    async def run(ctx: QueryCtx) -> Any:
        return titles(await ctx.db.query(Task).filter(lambda task: task.title == "d").collect())

    followed = probe.follow(run)
    assert followed.value == "d"
    runs = followed.runs

    async def rename(ctx: MutationCtx) -> None:
        first = await ctx.db.query(Task).first()
        assert first is not None
        await ctx.db.patch(first.id, title="d")

    probe.mutation(rename)
    assert (followed.value, followed.runs) == ("dd", runs + 1)
    probe.query(run)
    assert probe.backend.stats.documents_read == 5


def test_get_first_unique_take_collect_iterate(probe: Probe) -> None:
    """Each ending of a query; `unique` raises on two."""

    async def run(ctx: QueryCtx) -> Any:
        def ranked(rank: float) -> Any:
            return ctx.db.query(Task).with_index("by_rank", rank=rank)

        first = await ranked(2).first()
        nobody = [await ranked(9).first(), await ranked(9).unique()]
        own = await ctx.db.get(first.id)
        taken = await ranked(2).take(9)
        seen = [task.title async for task in ranked(2)]
        return [own == first, (await ranked(3).unique()).title, nobody, titles(taken), seen]

    assert probe.query(run) == [True, "d", [None, None], "bc", ["b", "c"]]

    async def two(ctx: QueryCtx) -> Any:
        return await ctx.db.query(Task).with_index("by_rank", rank=2).unique()

    with pytest.raises(HeadwaterError, match="unique\\(\\) query returned more than one result"):
        probe.query(two)


def test_reads_own_writes_in_every_way(probe: Probe) -> None:
    """Through every index, in both orders, in pages, by id."""

    async def run(ctx: MutationCtx) -> Any:
        made = await ctx.db.insert(Task(title="f", rank=0))
        found = await ctx.db.query(Task).with_index("by_rank", rank__gte=0).collect()
        await ctx.db.patch(made, rank=9)
        last = await ctx.db.query(Task).with_index("by_rank").order("desc").first()
        options = PaginationOptions(num_items=9, cursor=None)
        page = await ctx.db.query("tasks").order("desc").paginate(options)
        await ctx.db.delete(made)
        gone = await ctx.db.get(made)
        return [titles(found), last.title if last else "", titles(page.page), gone]

    assert probe.mutation(run) == ["fabcd", "f", "fedcba", None]


def test_explicit_table_form_of_get_patch_replace_and_delete(probe: Probe) -> None:
    """With a class or a name before the id, as npm 1.31 has it; both forms work."""

    async def run(ctx: MutationCtx) -> Any:
        one, two = [await ctx.db.insert(Task(title=title)) for title in "pq"]
        await ctx.db.patch("tasks", one, {"rank": 1.0})
        await ctx.db.patch(Task, one, title="P")
        await ctx.db.patch(Task, one)
        await ctx.db.replace("tasks", two, {"title": "Q"})
        await ctx.db.replace(Task, two, Task(title="R", rank=2))
        found = [await ctx.db.get("tasks", one), await ctx.db.get(Task, two)]
        await ctx.db.delete("tasks", one)
        await ctx.db.delete(Task, two)
        return [titles(found), await ctx.db.get(one), await ctx.db.get(two)]

    assert probe.mutation(run) == ["PR", None, None]


@pytest.mark.parametrize("operation", ["get", "patch", "replace", "delete"])
def test_an_id_of_another_table_is_an_error(probe: Probe, operation: str) -> None:
    """In each explicit form, by class and by name."""
    rest: dict[str, list[Any]] = {"patch": [{"name": "x"}], "replace": [{"name": "x"}]}

    for table in (Team, "teams", "nowhere"):

        async def run(ctx: MutationCtx, table: Any = table) -> Any:
            task = await ctx.db.query(Task).first()
            assert task is not None
            await getattr(ctx.db, operation)(table, task.id, *rest.get(operation, []))

        with pytest.raises(HeadwaterError, match=f"Invalid argument `id` for `db.{operation}`"):
            probe.mutation(run)


def test_system_tables_are_empty_to_the_user_s_api(probe: Probe) -> None:
    """They are read through `ctx.db.system` alone."""

    async def run(ctx: QueryCtx) -> Any:
        await ctx.db.query("_storage").collect()

    with pytest.raises(HeadwaterError, match="_storage"):
        probe.query(run)


def test_ranges_read_is_4096() -> None:
    """One more is refused, with what was read through which index."""
    probe = Probe()
    probe.mutation(fill)

    async def run(ctx: QueryCtx) -> Any:
        for _ in range(4097):
            await ctx.db.query(Task).with_index("by_rank", rank=2).first()

    with pytest.raises(HeadwaterError, match="limit of 4096 ranges read") as error:
        probe.query(run)
    assert "Documents read so far: 4096 through tasks.by_rank" in str(error.value)


def test_a_limit_of_reads_says_what_was_read() -> None:
    """By index and by id, most first, and what to do."""
    probe = Probe(Limits(documents_read=8, function_limit_s=60.0))
    probe.mutation(fill)

    async def run(ctx: QueryCtx) -> Any:
        first = await ctx.db.query(Task).first()
        assert first is not None
        await ctx.db.get(first.id)
        await ctx.db.query(Task).with_index("by_rank", rank__gte=1).collect()
        await ctx.db.query(Task).collect()

    with pytest.raises(HeadwaterError, match="limit of 8 documents read while reading") as error:
        probe.query(run)
    read = "4 through tasks.by_rank, 1 through tasks.by_creation_time, 1 by id"
    assert f"Documents read so far: {read}. Narrow the read: an index range" in str(error.value)


@pytest.mark.parametrize(("count", "warned"), [(8, False), (9, True)])
def test_a_warning_is_logged_near_a_limit(count: int, warned: bool) -> None:
    """From more than eighty percent on; the function still succeeds."""
    probe = Probe(Limits(documents_read=10, documents_written=100, function_limit_s=60.0))

    async def many(ctx: MutationCtx) -> None:
        for _ in range(count):
            await ctx.db.insert("notes", {})

    probe.mutation(many)

    async def run(ctx: QueryCtx) -> Any:
        return len(await ctx.db.query("notes").collect())

    assert probe.query(run) == count
    lines = probe.backend.log_lines
    assert (
        lines == []
        if not warned
        else lines[0].startswith(
            "[WARN] 'Many documents read in a single function execution (actual: 9, limit: 10)."
        )
    )
