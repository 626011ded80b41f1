"""The registry: what the modules of one load define."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from headwater import Document, QueryCtx, query
from headwater.core.registry import register
from headwater.errors import RegistrationError
from tests.headwater.core.things import app_of, module_of


def table(class_name: str, name: str) -> type[Document]:
    """A table without fields."""
    return type(class_name, (Document,), {"__module__": __name__}, table=name)


async def list_all(ctx: QueryCtx) -> Any:
    """All."""


def test_a_function_is_found_by_its_wire_path() -> None:
    """And knows its path and source from then on."""
    registered = query(list_all)
    app = app_of(registered)
    assert list(app.functions) == ["things:listAll"]
    assert registered.path == "things:listAll"
    assert app.manifest.functions["things:listAll"].source.startswith("test_registry.py:")


def test_what_is_imported_is_not_registered_again() -> None:
    """A function belongs to the module that defines it."""
    own = module_of(query(list_all), name="backend.own")
    other = ModuleType("backend.other")
    other.list_all = own.list_all  # type: ignore[attr-defined]
    assert list(register(Path(), [own, other]).functions) == ["own:listAll"]


def test_subfolders_are_path_segments() -> None:
    """`backend/actions/simple.py` is `actions/simple`."""
    module = module_of(query(list_all), name="backend.actions.simple")
    assert list(register(Path(), [module]).functions) == ["actions/simple:listAll"]


def test_a_table_is_declared_once() -> None:
    """The error names both classes."""
    one, two = table("One", "tasks"), table("Two", "tasks")
    with pytest.raises(RegistrationError, match=r"`tasks` is declared twice: .*One and .*Two"):
        app_of(one, two)


@pytest.mark.parametrize("name", ["_tasks", "my tasks", "tâches", "t" * 65])
def test_table_names_are_plain(name: str) -> None:
    """Letters, digits and underscores, at most 64, not starting with one."""
    with pytest.raises(RegistrationError, match="is no table name"):
        app_of(table("Task", name))


def test_two_functions_that_meet_on_the_wire_are_refused() -> None:
    """The error names both places."""
    again = query(name="listAll")(list_all)
    again.__name__ = "again"
    with pytest.raises(RegistrationError, match="two functions are `things:listAll`"):
        app_of(query(list_all), again)


def test_an_empty_backend_is_an_app() -> None:
    """No tables, no functions, nothing wrong."""
    app = register(Path("here"), [])
    assert (app.root, dict(app.functions), dict(app.manifest.tables)) == (Path("here"), {}, {})
