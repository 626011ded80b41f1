"""What is read equals what was written, types included, whatever the schema."""

from __future__ import annotations

import types
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from headwater import Document, MutationCtx, QueryCtx, mutation, query
from headwater.core.placement import InProcess
from headwater.testing import Backend, FunctionFailed
from tests.model.kinds import KINDS
from tests.model.order import same
from tests.model.schemas import MODULE, UNHURRIED, FieldPlan, TablePlan, app_of, tables


class Box:
    """Carries Python objects in and out of handlers, past the wire."""

    def __init__(self) -> None:
        self.document: Any = None


def _functions(box: Box) -> Any:
    def add(module: types.ModuleType) -> None:
        cls: type[Document] = module.__dict__["T"]

        async def write(ctx: MutationCtx) -> Any:
            return await ctx.db.insert(box.document)

        async def read(ctx: QueryCtx) -> Any:
            box.document = await ctx.db.query(cls).first()
            return box.document

        async def send(ctx: MutationCtx, fields: dict[str, Any]) -> Any:
            await ctx.db.insert("t", fields)
            return await ctx.db.query("t").first()

        for handler in (write, read, send):
            handler.__module__ = MODULE
            made = query(handler) if handler is read else mutation(handler)
            setattr(module, handler.__name__, made)

    return add


def _backend(table: TablePlan, box: Box) -> tuple[Backend, type[Document]]:
    app = app_of([table], _functions(box))
    return Backend(InProcess(app, UNHURRIED)), app.tables.by_name["t"].cls


def alike(left: Any, right: Any) -> bool:
    """True when two Python values are equal in type and content, at every depth."""
    if type(left) is not type(right):
        return False
    if isinstance(left, BaseModel):
        return alike(left.__dict__, right.__dict__)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(alike(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(alike, left, right))
    return same(left, right) if isinstance(left, float) else bool(left == right)


@given(st.data(), tables("t"))
def test_a_read_document_is_the_written_one(data: st.DataObject, table: TablePlan) -> None:
    """An inserted model comes back with every field of the same type and content."""
    wire = data.draw(table.documents())
    box = Box()
    backend, cls = _backend(table, box)
    written = cls(**{f.name: f.python(wire.get(f.wire)) for f in table.fields})
    box.document = written
    document_id = backend.mutation("model:write")
    shown = backend.query("model:read")
    for field in table.fields:
        assert alike(getattr(box.document, field.name), getattr(written, field.name)), field
    assert box.document.id == document_id
    assert same({k: v for k, v in shown.items() if k[0] != "_"}, wire)


@given(st.data(), tables("t"))
def test_a_document_by_table_name_is_the_sent_one(data: st.DataObject, table: TablePlan) -> None:
    """A dict written by table name is read as it was sent."""
    wire = data.draw(table.documents())
    backend, _ = _backend(table, Box())
    read = backend.mutation("model:send", {"fields": wire})
    assert same({k: v for k, v in read.items() if k[0] != "_"}, wire)


@given(st.data(), st.sampled_from(sorted(KINDS.keys() - {"any"})))
def test_a_value_of_another_kind_is_refused(data: st.DataObject, kind: str) -> None:
    """A document whose field holds a value its class does not allow is not written."""
    plan = TablePlan("t", (FieldPlan("alpha", kind, "required"),), {})
    wrong = data.draw(st.sampled_from([None, {"no": "thing"}, [None], [[1.5]]]))
    backend, _ = _backend(plan, Box())
    with pytest.raises(FunctionFailed, match="does not match the schema"):
        backend.mutation("model:send", {"fields": {"alpha": wrong}})
