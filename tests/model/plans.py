"""Reads as plain data: drawn at random, sent to a handler as arguments, answered by the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from headwater import UNSET, Document, PaginationOptions, QueryCtx
from tests.model.schemas import TablePlan

Plan = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

WHOLE: Plan = {"equal": [], "lower": None, "upper": None, "desc": False, "has": None, "who": False}
HOWS = ["collect", "collect", "take", "first", "unique", "iterate", "page"]


def boxed(value: Any) -> list[Any]:
    """A value or its absence, in a form that can be sent."""
    return [] if value is UNSET else [value]


def unboxed(box: list[Any]) -> Any:
    """What `boxed` packed."""
    return box[0] if box else UNSET


@st.composite
def plans(
    draw: Draw,
    table: TablePlan,
    pool: Sequence[Mapping[str, Any]] = (),
    who: bool = False,
    hows: Sequence[str] = HOWS,
) -> Plan:
    """A read of a table; values of its range are often those of documents in the pool."""
    declared = [*table.indexes] * 3
    index = draw(st.sampled_from([None, "by_creation_time", *declared]))
    plan: Plan = {**WHOLE, "table": table.name, "index": index, "cursor": None}
    plan["typed"] = table.declared and draw(st.booleans())
    plan["desc"] = draw(st.booleans())
    plan["how"] = draw(st.sampled_from(hows))
    plan["count"] = float(draw(st.integers(1 if plan["how"] == "page" else 0, 4)))
    plan["who"] = who and draw(st.booleans())
    if plan["how"] != "page" and draw(st.integers(0, 3)) == 3:
        plan["has"] = draw(st.sampled_from([field.wire for field in table.fields]))
        plan["typed"] = False
    if index is not None:
        _draw_range(draw, plan, table, pool)
    return plan


def _draw_range(
    draw: Draw, plan: Plan, table: TablePlan, pool: Sequence[Mapping[str, Any]]
) -> None:
    fields = [*table.indexes.get(plan["index"], ()), "creation_time"]
    equal = draw(st.sampled_from([0, 0, 0, *range(1, len(fields))]))
    plan["equal"] = [[f, boxed(draw(_values(table, f, pool)))] for f in fields[:equal]]
    for bound in ("lower", "upper"):
        if draw(st.integers(0, 2)) == 2:
            value = draw(_values(table, fields[equal], pool))
            plan[bound] = [fields[equal], boxed(value), draw(st.booleans())]


def _values(
    table: TablePlan, name: str, pool: Sequence[Mapping[str, Any]]
) -> st.SearchStrategy[Any]:
    if name == "creation_time":
        times = [document["_creationTime"] for document in pool]
        return st.sampled_from([*times, 1_700_000_000_000.0])
    field = table.field(name)
    known = [document.get(field.wire, UNSET) for document in pool]
    known = [value for value in known if value is not UNSET or field.presence == "optional"]
    seen = [st.sampled_from(known)] * 3 if known else []
    own = st.one_of(*seen, field.values())
    return st.one_of(own, st.just(UNSET)) if field.presence == "optional" else own


async def answer(ctx: QueryCtx, classes: Mapping[str, type[Document]], plan: Plan) -> Any:
    """Carries a plan out inside a handler."""
    found = await _found(ctx, classes, plan)
    if not (plan["who"] and found):
        return {"found": found}
    identity = await ctx.auth.get_user_identity()
    return {"found": found, "who": identity and identity.subject}


async def _found(ctx: QueryCtx, classes: Mapping[str, type[Document]], plan: Plan) -> Any:
    if plan["how"] == "get":
        typed = plan["typed"]
        return await (ctx.db.get(plan["id"]) if typed else ctx.db.get(plan["table"], plan["id"]))
    source: Any = classes[plan["table"]] if plan["typed"] else plan["table"]
    query: Any = ctx.db.query(source)
    if plan["index"] is not None:
        query = query.with_index(plan["index"], **_keywords(plan))
    if plan["has"] is not None:
        query = query.filter(lambda document: plan["has"] in document)
    return await _run(query.order("desc" if plan["desc"] else "asc"), plan)


def _keywords(plan: Plan) -> dict[str, Any]:
    keywords = {name: unboxed(box) for name, box in plan["equal"]}
    for bound, exclusive, inclusive in (("lower", "gt", "gte"), ("upper", "lt", "lte")):
        if plan[bound] is not None:
            name, box, closed = plan[bound]
            keywords[f"{name}__{inclusive if closed else exclusive}"] = unboxed(box)
    return keywords


async def _run(query: Any, plan: Plan) -> Any:
    how, count = plan["how"], int(plan["count"])
    if how == "take":
        return await query.take(count)
    if how == "iterate":
        return await _iterated(query, count)
    if how == "page":
        options = PaginationOptions(num_items=count, cursor=plan["cursor"])
        return await query.paginate(options)
    return await getattr(query, how)()


async def _iterated(query: Any, count: int) -> list[Any]:
    found: list[Any] = []
    async for document in query:
        found.append(document)
        if len(found) >= count:
            break
    return found
