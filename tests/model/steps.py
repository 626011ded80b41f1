"""Mutations as plain data: steps drawn at random, carried out by one handler."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from hypothesis import strategies as st

from headwater import UNSET, AppError, Document, MutationCtx, QueryCtx, mutation, query
from headwater.core.functions import MutationFn
from tests.model.plain import Plain
from tests.model.plans import WHOLE, Draw, answer, plans
from tests.model.schemas import MODULE, TablePlan

Op = dict[str, Any]
_KINDS = (
    ["insert"] * 5
    + ["patch"] * 3
    + ["replace", "delete", "delete", "read", "nested", "nested", "bad"]
)


@st.composite
def steps(draw: Draw, plain: Plain, nesting: int = 1) -> list[Op]:
    """The steps of one mutation."""
    count = draw(st.integers(1, 4))
    drawn = [draw(_step(plain, nesting)) for _ in range(count)]
    for at in reversed([at for at, op in enumerate(drawn) if op["op"] == "nested"]):
        table = draw(st.sampled_from(list(plain.tables.values())))
        drawn.insert(at + 1, {"op": "read", "plan": draw(_inner_plans(plain, table))})
    return drawn


@st.composite
def _step(draw: Draw, plain: Plain, nesting: int) -> Op:
    table = draw(st.sampled_from(list(plain.tables.values())))
    kind = draw(st.sampled_from(_KINDS))
    if kind == "nested":
        if nesting == 0:
            return {"op": "fail"}
        return {"op": "nested", "ops": draw(steps(plain, nesting - 1))}
    if kind == "bad":
        return {"op": "misfit" if table.declared else "fail", "table": table.name}
    if kind == "insert":
        fields = draw(table.like(plain.of(table.name)))
        return {"op": "insert", "table": table.name, "fields": fields}
    if kind == "read":
        return {"op": "read", "plan": draw(_inner_plans(plain, table))}
    change: Op = draw(_change(plain, table, kind))
    return change


def _inner_plans(plain: Plain, table: TablePlan) -> st.SearchStrategy[Any]:
    # What depends on ids or times that only the engine knows is not read within a mutation.
    drawn = plans(table, plain.of(table.name))
    return drawn.filter(lambda plan: plan["how"] not in ("unique", "page"))


@st.composite
def _change(draw: Draw, plain: Plain, table: TablePlan, kind: str) -> Op:
    known = [document["_id"] for document in plain.of(table.name)]
    gone = [i for i, home in plain.homes.items() if home == table.name and " " not in i]
    target = draw(st.sampled_from([*known, *known, *gone[:2], float(draw(st.integers(0, 1)))]))
    if isinstance(target, float):
        kind = "delete"  # one made in this mutation: its table is not known here
    op: Op = {"op": kind, "id": target}
    if kind == "replace":
        op["fields"] = draw(table.like(plain.of(table.name)))
    if kind == "patch":
        op["changes"], op["removed"] = draw(_patch(table, plain))
    return op


@st.composite
def _patch(draw: Draw, table: TablePlan, plain: Plain) -> tuple[dict[str, Any], list[str]]:
    optional = [field.wire for field in table.fields if field.presence == "optional"]
    removed = draw(st.lists(st.sampled_from(optional), max_size=1)) if optional else []
    drawn = draw(table.like(plain.of(table.name)))
    changes = {name: value for name, value in drawn.items() if draw(st.booleans())}
    return changes, removed


def get_plan(table: str, document_id: str, typed: bool) -> Op:
    """The plan that reads one document."""
    about = {"index": None, "cursor": None, "count": 0.0, "how": "get"}
    return {**WHOLE, **about, "table": table, "typed": typed, "id": document_id}


def add_functions(module: ModuleType) -> None:
    """Puts the query `read` and the mutation `apply` into a backend module."""
    classes = {
        cls.table_name: cls
        for cls in vars(module).values()
        if isinstance(cls, type) and issubclass(cls, Document)
    }

    async def read(ctx: QueryCtx, plan: Any) -> Any:
        return await answer(ctx, classes, plan)

    async def apply(ctx: MutationCtx, ops: list[Any]) -> Any:
        work = _Work(ctx, classes, registered)
        for op in ops:
            await getattr(work, op["op"])(op)
        return {"made": work.made, "seen": work.seen}

    read.__module__ = apply.__module__ = MODULE
    registered = mutation(apply)
    vars(module).update(read=query(read), apply=registered)


class _Work:
    """One run of `apply`; each method is a kind of step."""

    def __init__(
        self, ctx: MutationCtx, classes: Mapping[str, type[Document]], apply: MutationFn[Any, Any]
    ) -> None:
        self._db, self._ctx, self._classes, self._apply = ctx.db, ctx, classes, apply
        self.made: list[Any] = []
        self.seen: list[Any] = []

    def _target(self, op: Op) -> Any:
        return op["id"] if isinstance(op["id"], str) else self.made[int(op["id"])][0]

    async def insert(self, op: Op) -> None:
        """A new document; notes its id and creation time."""
        made = await self._db.insert(op["table"], op["fields"])
        own = await self._db.get(op["table"], made)
        assert own is not None, "a mutation sees what it wrote"
        self.made.append([made, own["_creationTime"]])

    async def patch(self, op: Op) -> None:
        """Some fields changed, some removed."""
        removed = dict.fromkeys(op["removed"], UNSET)
        await self._db.patch(self._target(op), {**op["changes"], **removed})

    async def replace(self, op: Op) -> None:
        """All fields anew."""
        await self._db.replace(self._target(op), op["fields"])

    async def delete(self, op: Op) -> None:
        """A document gone."""
        await self._db.delete(self._target(op))

    async def read(self, op: Op) -> None:
        """A read between writes."""
        self.seen.append(await answer(self._ctx, self._classes, op["plan"]))

    async def misfit(self, op: Op) -> None:
        """A document that fits no declared table."""
        await self._db.insert(op["table"], {"noSuchField": 1.0})

    async def fail(self, _op: Op) -> None:
        """An error of the application's own."""
        raise AppError("on purpose")

    async def nested(self, op: Op) -> None:
        """A part that may fail without the whole."""
        try:
            inner = await self._ctx.run_mutation(self._apply, ops=op["ops"])
        except Exception:
            return
        self.made.extend(inner["made"])
        self.seen.extend(inner["seen"])
