"""wire.md 3.1: values, documents, schema."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest

from headwater import UNSET, Document, Index, Int64, MutationCtx, QueryCtx
from headwater.errors import HeadwaterError, RegistrationError
from tests.headwater.core.things import app_of
from tests.semantics.probe import Probe, Task


def float_of(bits: int) -> float:
    """The float of these bits."""
    (number,) = struct.unpack(">d", bits.to_bytes(8, "big"))
    return float(number)


IN_ORDER: list[Any] = [
    UNSET,
    None,
    Int64(-1),
    Int64(5),
    float_of(0xFFF8_0000_0000_0000),  # a NaN with its sign set comes first
    -math.inf,
    -1.0,
    -0.0,
    0.0,
    5.0,
    math.inf,
    math.nan,
    False,
    True,
    "",
    "Z",
    "a",
    "\uffff",
    "\U0001f600",  # by code points; UTF-16 has it before \uffff
    b"",
    b"\x00",
    b"\xff",
    [],
    [None],
    [1.0, 2.0],
    [2.0],
    {},
    {"a": 1.0},
    {"a": 1.0, "b": 0.0},
    {"b": 0.0},
]


@pytest.fixture
def probe() -> Probe:
    """An empty backend."""
    return Probe()


def store_all(probe: Probe, values: list[Any]) -> None:
    """A task each, by rank in a table whose ranks may be anything."""

    async def insert(ctx: MutationCtx) -> None:
        for number, value in reversed(list(enumerate(values))):
            await ctx.db.insert("anything", {"value": value, "at": number})

    probe.mutation(insert)


def test_type_order() -> None:
    """undefined < null < int64 < float64 < bool < string < bytes < array < object, in an index."""

    class Thing(Document, table="anything"):
        at: int
        value: Any = None
        by_value = Index("value")

    from headwater import mutation, query
    from tests.headwater.core.things import backend_of

    @mutation
    async def fill(ctx: MutationCtx) -> None:
        for number, value in reversed(list(enumerate(IN_ORDER))):
            await ctx.db.insert("anything", {"value": value, "at": number})

    @query
    async def places(ctx: QueryCtx) -> list[int]:
        return [thing.at async for thing in ctx.db.query(Thing).with_index("by_value")]

    @query
    async def equal(ctx: QueryCtx, at: int) -> list[int]:
        wanted = ctx.db.query("anything").with_index("by_value", value=IN_ORDER[at])
        return [int(thing["at"]) async for thing in wanted]

    backend = backend_of(Thing, fill, places, equal)
    backend.mutation(fill)
    assert backend.query(places) == list(range(len(IN_ORDER)))
    assert [backend.query(equal, at=at) for at in range(len(IN_ORDER))] == [
        [at] for at in range(len(IN_ORDER))
    ], "int64 and float64 never compare equal, nor do -0 and 0"


@pytest.mark.parametrize("wrong", ["\ud800", {"a": ["\udfff"]}])
def test_strings_are_valid_unicode(probe: Probe, wrong: Any) -> None:
    """A lone surrogate is refused, wherever it is."""

    async def insert(ctx: MutationCtx) -> None:
        await ctx.db.insert("notes", {"text": wrong})

    with pytest.raises(HeadwaterError, match="surrogate"):
        probe.mutation(insert)


def test_undefined_inside_an_array_is_an_error(probe: Probe) -> None:
    """In an object it is a member that is not there."""

    async def in_object(ctx: MutationCtx) -> Any:
        return await ctx.db.get("notes", await ctx.db.insert("notes", {"a": {"b": UNSET}}))

    assert probe.mutation(in_object)["a"] == {}

    async def in_array(ctx: MutationCtx) -> None:
        await ctx.db.insert("notes", {"a": [1, UNSET]})

    with pytest.raises(HeadwaterError, match=r"_Unset at a\[1\]|UNSET"):
        probe.mutation(in_array)


def test_undefined_is_not_null(probe: Probe) -> None:
    """A missing field matches a question for undefined, a null one for null."""

    async def run(ctx: MutationCtx) -> Any:
        await ctx.db.insert("tasks", {"title": "none"})
        await ctx.db.insert("tasks", {"title": "one", "rank": 1.0})
        ranked = ctx.db.query(Task).with_index("by_rank", rank=UNSET)
        return [task.title for task in await ranked.collect()]

    assert probe.mutation(run) == ["none"]


@pytest.mark.parametrize(
    "name", ["_x", "a-b", "", "a b", "1a", "x" * 65, "é"], ids=lambda name: name[:8] or "empty"
)
def test_field_names_at_the_top(probe: Probe, name: str) -> None:
    """Letters, digits and underscore, 64 at most, and none that begins with an underscore."""

    async def insert(ctx: MutationCtx) -> None:
        await ctx.db.insert("notes", {name: 1.0})

    with pytest.raises(HeadwaterError, match=r"field name|object key"):
        probe.mutation(insert)


@pytest.mark.parametrize(
    ("name", "fits"), [("a-b", True), ("x" * 1024, True), ("x" * 1025, False), ("$a", False)]
)
def test_field_names_below_the_top(probe: Probe, name: str, fits: bool) -> None:
    """Printable ASCII, 1024 at most, no dollar in front."""

    async def insert(ctx: MutationCtx) -> None:
        await ctx.db.insert("notes", {"nested": {name: 1.0}})

    if fits:
        probe.mutation(insert)
        return
    with pytest.raises(HeadwaterError, match="keys are printable ASCII"):
        probe.mutation(insert)


def test_system_fields_are_the_runtime_s(probe: Probe) -> None:
    """They may be handed back unchanged to patch and replace, and given by nobody else."""

    async def back(ctx: MutationCtx) -> Any:
        own = await ctx.db.get("notes", await ctx.db.insert("notes", {"n": 1}))
        assert own is not None
        await ctx.db.replace(own["_id"], {**own, "n": 2})
        await ctx.db.patch(own["_id"], {**own, "n": 3})
        await ctx.db.patch("tasks", await ctx.db.insert("tasks", {"title": "a"}), {"title": "b"})
        return (await ctx.db.get("notes", own["_id"]))["n"]  # type: ignore[index]

    assert probe.mutation(back) == 3

    for changed in ({"_id": "x"}, {"_creationTime": 1.0}):

        async def forge(ctx: MutationCtx, changed: Any = changed) -> None:
            await ctx.db.patch(await ctx.db.insert("notes", {}), changed)

        with pytest.raises(HeadwaterError, match="cannot change `_"):
            probe.mutation(forge)

    async def insert(ctx: MutationCtx) -> None:
        await ctx.db.insert("notes", {"_id": "x"})

    with pytest.raises(HeadwaterError, match="_id"):
        probe.mutation(insert)


def test_id_names_its_table(probe: Probe) -> None:
    """31 to 37 letters; the table is read from them; `normalize_id` gives null for another."""

    async def run(ctx: MutationCtx) -> Any:
        task = await ctx.db.insert(Task(title="a"))
        texts = [task, task.upper(), task[:-1], "", "tasks"]
        known = [ctx.db.normalize_id("tasks", text) for text in texts]
        others = [ctx.db.normalize_id("teams", task), ctx.db.normalize_id("nowhere", task)]
        await ctx.db.delete(task)
        return [task, known, others, ctx.db.normalize_id(Task, task)]

    task, known, others, gone = probe.mutation(run)
    assert 31 <= len(task) <= 37
    assert known == [task, None, None, None, None]
    assert others == [None, None]
    assert gone == task, "whether it exists is another question"


def test_creation_time_rises_within_a_transaction(probe: Probe) -> None:
    """From its start, by the next float each time, so that the order of inserts is kept."""

    async def run(ctx: MutationCtx) -> Any:
        made = [await ctx.db.insert("notes", {}) for _ in range(3)]
        times = [(await ctx.db.get("notes", one))["_creationTime"] for one in made]  # type: ignore[index]
        return [ctx.now, *times]

    now, *times = probe.mutation(run)
    assert times == [now, math.nextafter(now, math.inf), math.nextafter(times[1], math.inf)]


def test_tables_not_in_the_schema_are_not_validated(probe: Probe) -> None:
    """They are empty until somebody writes to them, and each of their documents is its own."""

    async def run(ctx: MutationCtx) -> Any:
        before = await ctx.db.query("drafts").collect()
        first = await ctx.db.insert("drafts", {"a": 1})
        await ctx.db.insert("drafts", {"a": "text", "b": [None]})
        await ctx.db.patch("drafts", first, {"c": b"x", "a": UNSET})
        await ctx.db.replace("drafts", first, {"d": Int64(1)})
        found = await ctx.db.query("drafts").order("desc").collect()
        await ctx.db.delete("drafts", first)
        return [before, [sorted(d) for d in found], len(await ctx.db.query("drafts").collect())]

    before, names, left = probe.mutation(run)
    system = ["_creationTime", "_id"]
    assert (before, names, left) == ([], [[*system, "a", "b"], [*system, "d"]], 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Object is missing the required field `title`"),
        ({"title": "a", "x": 1}, "Object contains extra field `x` that is not in the validator"),
        ({"title": 1}, "Value does not match validator"),
    ],
)
def test_validator_texts(probe: Probe, fields: dict[str, Any], message: str) -> None:
    """The words clients know."""

    async def insert(ctx: MutationCtx) -> None:
        await ctx.db.insert("tasks", fields)

    with pytest.raises(HeadwaterError, match=message):
        probe.mutation(insert)


def test_a_function_that_returns_nothing_returns_null(probe: Probe) -> None:
    """On every client."""

    async def nothing(_ctx: QueryCtx) -> None:
        return None

    assert probe.query(nothing) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (("title",) * 2, "twice"),
        (tuple(f"f{n}" for n in range(16)), "16 fields"),
    ],
)
def test_index_fields_is_a_limit(fields: tuple[str, ...], message: str) -> None:
    """Sixteen with the creation time each index ends with; each field once."""
    names = dict.fromkeys(fields)
    body = {"__annotations__": dict.fromkeys(names, str), "by_all": Index(*fields)}
    cls = type("Wide", (Document,), body, table="wide")
    with pytest.raises(RegistrationError, match=message):
        app_of(cls)


def test_indexes_per_table_is_a_limit() -> None:
    """Thirty-two, as Convex documents it."""
    for count, fits in ((32, True), (33, False)):
        indexes = {f"by_{n}": Index("title") for n in range(count)}
        cls = type("Many", (Document,), {"__annotations__": {"title": str}, **indexes}, table="m")
        if fits:
            app_of(cls)
            continue
        with pytest.raises(RegistrationError, match="33 indexes, the limit is 32"):
            app_of(cls)


@pytest.mark.parametrize("what", ["field", "index"])
def test_name_length_is_a_limit(what: str) -> None:
    """64 letters, for a declared field and for an index."""
    long = "x" * 65
    field, index = (long, "by_field") if what == "field" else ("title", long)
    body = {"__annotations__": {field: str}, index: Index(field)}
    with pytest.raises(RegistrationError, match="the limit is 64"):
        app_of(type("Long", (Document,), body, table="long"))
