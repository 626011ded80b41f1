"""The manifest: a loaded backend as plain data."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.core.manifest import (
    BY_CREATION_TIME,
    FunctionSpec,
    IndexSpec,
    Manifest,
    TableSpec,
    canonical_path,
)
from headwater.core.validators import AnyValue, Field, Null, Object, String

TASKS = TableSpec("tasks", Object({"title": Field(String())}), (IndexSpec("by_t", ("title",)),))
LIST = FunctionSpec("tasks:list", "query", "public", Object(), AnyValue(), "backend/tasks.py:3")
CLEAN = FunctionSpec("tasks:clean", "mutation", "internal", Object(), Null())


def test_a_manifest_is_the_same_after_a_journey() -> None:
    """A host in another process works from the same tables and functions."""
    manifest = Manifest({"tasks": TASKS}, {spec.path: spec for spec in (LIST, CLEAN)})
    assert Manifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize(("member", "value"), [("kind", "magic"), ("visibility", "secret")])
def test_a_stranger_s_manifest_is_checked(member: str, value: str) -> None:
    """A kind or visibility that does not exist is refused."""
    data: dict[str, Any] = Manifest({}, {LIST.path: LIST}).to_json()
    data["functions"][0][member] = value
    with pytest.raises(ValueError, match=f"unknown .*{value}"):
        Manifest.from_json(data)


def test_an_undeclared_table_takes_anything() -> None:
    """It is reached by name, has no index but the built-in one."""
    table = Manifest().table("notes")
    assert table == TableSpec("notes")
    assert table.index("by_creation_time") is BY_CREATION_TIME
    assert table.index("by_title") is None


def test_indexes_are_found_by_name() -> None:
    """A declared one and the built-in one."""
    assert TASKS.index("by_t") == IndexSpec("by_t", ("title",))
    assert TASKS.index("by_creation_time") is BY_CREATION_TIME


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("tasks:list", "tasks:list"),
        ("tasks.js:list", "tasks:list"),
        ("tasks", "tasks:default"),
        ("a/b.js:c", "a/b:c"),
    ],
)
def test_paths_have_one_form(given: str, path: str) -> None:
    """As clients may write them, and as we keep them."""
    assert canonical_path(given) == path


def test_public_is_what_clients_may_call() -> None:
    """An internal function is none of theirs."""
    assert LIST.is_public
    assert not CLEAN.is_public
