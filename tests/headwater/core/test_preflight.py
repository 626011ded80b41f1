"""Preflight: what another backend would meet, and nothing changed by looking."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headwater.core.manifest import FunctionSpec, IndexSpec, Manifest, TableSpec
from headwater.core.preflight import Found, Preflight
from headwater.core.validators import AnyValue, Field, Number, Object, String
from tests.headwater.core.stores import MANIFEST, TASKS, Store


@pytest.fixture
def store() -> Store:
    """Two tasks."""
    made = Store()
    made.insert("b", rank=2.0)
    made.insert("a", rank=1.0)
    return made


def look(store: Store, *tables: TableSpec, **more: FunctionSpec) -> Found:
    """What a backend of these tables and functions would meet."""
    functions = {spec.path: spec for spec in more.values()}
    preflight = Preflight(store.database, Manifest({t.name: t for t in tables}, functions))
    while preflight.step():
        pass
    return preflight.found()


def public(path: str) -> FunctionSpec:
    """A public mutation."""
    return FunctionSpec(path, "mutation", "public", AnyValue(), AnyValue())


def test_the_same_backend_meets_nothing(store: Store) -> None:
    """No document has to be looked at, and nothing filled."""
    assert look(store, TASKS) == Found(0, (), 0, (), (), (), (), ())


def test_indexes_to_come_and_to_go_are_named(store: Store) -> None:
    """Staged ones apart: nobody waits for those. An empty table's need no filling."""
    changed = replace(
        TASKS, indexes=(IndexSpec("by_rank", ("rank",)), IndexSpec("by_both", ("a",), staged=True))
    )
    found = look(store, changed, TableSpec("notes", indexes=(IndexSpec("by_x", ("x",)),)))
    assert (found.indexes, found.staged) == (("tasks.by_rank",), ("tasks.by_both",))
    assert found.dropped == ("tasks.by_title",)
    assert not found.misfits


def test_an_index_that_is_being_made_is_not_told_as_dropped(store: Store) -> None:
    """It is for a backend to come; which of its indexes go is what that one keeps."""
    store.database.catalog.add_coming("tasks", "by_rank", ("rank",))
    assert look(store, TASKS).dropped == ()


def test_documents_that_do_not_fit_are_named(store: Store) -> None:
    """By table, id and field: the backend could not serve them."""
    shape = Object({"title": Field(Number()), "rank": Field(Number(), True)})
    found = look(store, TableSpec("tasks", shape))
    assert (found.checked, len(found.misfits), found.more_misfits) == (2, 2, 0)
    assert "Path: .title" in found.misfits[0]


def test_functions_that_clients_lose_are_named(store: Store) -> None:
    """Those that are public and served today."""
    store.database.manifest = replace(MANIFEST, functions={"t:old": public("t:old")})
    assert look(store, TASKS).gone == ("t:old",)
    assert look(store, TASKS, old=public("t:old")).gone == ()


def test_scheduled_calls_that_lose_their_function_are_named(store: Store) -> None:
    """Once each, however many wait."""
    step = store.begin()
    for state in ("pending", "pending", "success"):
        fields = {"name": f"t.js:{state}", "args": [{}], "scheduledTime": 1.0}
        step.system_insert("_scheduled_functions", {**fields, "state": {"kind": state}})
    store.keep(step)
    assert look(store, TASKS).orphans == ("t:pending",)
    assert look(store, TASKS, there=public("t:pending")).orphans == ()


def test_looking_changes_nothing(store: Store) -> None:
    """Not the catalog, not the manifest."""
    before = store.database.catalog.body
    shape = Object({"title": Field(String())})
    look(store, TableSpec("tasks", shape), TableSpec("new", indexes=(IndexSpec("by_x", ("x",)),)))
    assert store.database.catalog.body == before
    assert store.database.manifest == MANIFEST
