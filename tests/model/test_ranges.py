"""Reads of random documents through random indexes: results, order and types as the model's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headwater.core.placement import InProcess
from headwater.testing import Backend, FunctionFailed
from tests.model.order import same
from tests.model.plain import END, Plain, Refused
from tests.model.plans import Plan, plans
from tests.model.schemas import UNHURRIED, TablePlan, app_of, crowds, tables
from tests.model.steps import add_functions


def backend_of(table: TablePlan) -> Backend:
    """An empty backend with this table."""
    return Backend(InProcess(app_of([table], add_functions), UNHURRIED))


def insert_all(backend: Backend, plain: Plain, table: str, documents: list[Any]) -> None:
    """Inserts documents into both, a few milliseconds apart."""
    for fields in documents:
        ops = [{"op": "insert", "table": table, "fields": fields}]
        plain.apply(ops, iter(backend.mutation("model:apply", {"ops": ops})["made"]))
        backend.advance(ms=1)


def read(backend: Backend, plan: Plan) -> Any:
    """What the backend gives for a plan."""
    try:
        found = backend.query("model:read", {"plan": plan})
    except FunctionFailed as error:
        raise Refused(str(error)) from None
    if plan["how"] == "page":
        page = found["found"]
        assert (page.pop("splitCursor") is None) == (len(page["page"]) <= 2)
        assert page.pop("pageStatus") is None
    return found


@given(st.data(), tables("t"))
def test_reads_are_those_of_the_model(data: st.DataObject, table: TablePlan) -> None:
    """Whatever the range, order and ending, the documents and their order are the model's."""
    backend, plain = backend_of(table), Plain({"t": table})
    insert_all(backend, plain, "t", data.draw(crowds(table)))
    for _ in range(6):
        plan = data.draw(plans(table, plain.of("t")))
        assert same(outcome(read, backend, plan), outcome(expected, plain, plan)), plan


def expected(plain: Plain, plan: Plan) -> Any:
    """What the model gives for a plan."""
    return plain.answer(plan).value


def outcome(ask: Callable[..., Any], *what: Any) -> Any:
    """A result without its cursor, or the refusal to give one."""
    try:
        found = ask(*what)
    except Refused:
        return "refused"
    if isinstance(found["found"], dict):
        found["found"].pop("continueCursor", None)
    return found


@given(st.data(), tables("t"))
def test_pages_join_to_the_whole(data: st.DataObject, table: TablePlan) -> None:
    """Page after page gives each document of the range once, in order, and then is done."""
    backend, plain = backend_of(table), Plain({"t": table})
    insert_all(backend, plain, "t", data.draw(crowds(table)))
    plan = data.draw(plans(table, plain.of("t"), hows=["page"]))
    whole: list[Any] = []
    while True:
        page = read(backend, plan)["found"]
        assert len(page["page"]) <= plan["count"]
        whole.extend(page["page"])
        if page["isDone"]:
            break
        plan = {**plan, "cursor": page["continueCursor"]}
    assert same(whole, plain.in_range(plan))
    plain.cursors[page["continueCursor"]] = END
    rest = read(backend, {**plan, "cursor": page["continueCursor"]})["found"]
    assert (rest["page"], rest["isDone"]) == ([], True)
