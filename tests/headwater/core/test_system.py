"""System tables: read by functions through `ctx.db.system`, written by the runtime alone."""

from __future__ import annotations

from typing import Any

import pytest

from headwater import Document, Id, MutationCtx, QueryCtx, mutation, query
from headwater.core.system import StoredFile
from headwater.core.transaction import Transaction
from headwater.errors import StorageFailure
from headwater.testing import Backend, FunctionFailed
from tests.headwater.core.things import backend_of

FILE = {"storageId": "one", "sha256": "x", "size": 3.0}


class Note(Document, table="notes"):
    """A table of the user's."""

    text: str


@query
async def sizes(ctx: QueryCtx) -> list[int]:
    """The sizes of all files."""
    return [file.size for file in await ctx.db.system.query(StoredFile).collect()]


@query
async def by_name(ctx: QueryCtx, file: str) -> Any:
    """A file as a dict."""
    return await ctx.db.system.get("_storage", file)


@query
async def typed(ctx: QueryCtx, file: Id[StoredFile]) -> str:
    """A file by its class."""
    found = await ctx.db.system.get(file)
    return "none" if found is None else found.storage_id


@query
async def around(ctx: QueryCtx, way: str, given: str) -> None:
    """Each way that is not allowed."""
    if way == "query":
        await ctx.db.query("_storage").collect()
    elif way == "get":
        await ctx.db.get("_storage", given)
    elif way == "user":
        await ctx.db.system.query("notes").collect()
    else:
        await ctx.db.system.get("notes", given)


@mutation
async def write(ctx: MutationCtx, way: str, given: str) -> str:
    """Writes that are not allowed, and one that is."""
    if way == "insert":
        await ctx.db.insert("_storage", {})
    elif way == "patch":
        await ctx.db.patch(Id[Any](given), size=1.0)
    elif way == "delete":
        await ctx.db.delete(Id[Any](given))
    return await ctx.db.insert(Note(text="n"))


@pytest.fixture
def backend() -> Backend:
    """A backend with a table of its own."""
    return backend_of(Note, sizes, by_name, typed, around, write)


def stored(backend: Backend) -> Id[Any]:
    """The id of a file's record, made as the runtime does."""
    return Id(backend._host.transact(lambda t: t.system_insert("_storage", FILE)))


def test_functions_read_system_tables_by_class_and_by_name(backend: Backend) -> None:
    """A class gives documents, a name gives dicts under wire names."""
    file = stored(backend)
    assert backend.query(sizes) == [3]
    assert backend.query(typed, file) == "one"
    found = backend.query(by_name, file)
    assert {k: found[k] for k in FILE} == FILE
    assert found["_id"] == file


def test_a_write_of_the_runtime_reaches_subscribers(backend: Backend) -> None:
    """A step of the runtime invalidates like any mutation."""
    seen = backend.subscribe(sizes)
    stored(backend)
    assert seen.updates == [[], [3]]


def test_what_the_runtime_reads_and_changes(backend: Backend) -> None:
    """A step finds by index, patches and deletes."""
    file = stored(backend)

    def grow(transaction: Transaction) -> None:
        found = transaction.system_get(file)
        assert found is not None
        transaction.system_patch(found, {"size": 9.0})

    backend._host.transact(grow)
    assert backend.query(sizes) == [9]

    def remove(transaction: Transaction) -> None:
        found = transaction.system_get(file)
        assert found is not None
        transaction.system_delete(found)

    backend._host.transact(remove)
    assert backend.query(sizes) == []


@pytest.mark.parametrize("way", ["query", "get"])
def test_the_user_s_api_does_not_reach_system_tables(backend: Backend, way: str) -> None:
    """The error says where to read them."""
    with pytest.raises(FunctionFailed, match=r"`_storage` is a system table: .*ctx\.db\.system"):
        backend.query(around, way, stored(backend))


@pytest.mark.parametrize("way", ["insert", "patch", "delete"])
def test_no_function_writes_system_tables(backend: Backend, way: str) -> None:
    """A mutation is refused, and the record stays as it was."""
    file = stored(backend)
    with pytest.raises(FunctionFailed, match="`_storage` is a system table"):
        backend.mutation(write, way, file)
    assert backend.query(sizes) == [3]


@pytest.mark.parametrize("way", ["user", "get user"])
def test_db_system_does_not_reach_tables_of_the_user(backend: Backend, way: str) -> None:
    """The reverse is refused too."""
    note = backend.mutation(write, "note", "")
    with pytest.raises(FunctionFailed, match="`notes` is no system table"):
        backend.query(around, way, note)


def test_an_error_in_a_step_keeps_nothing(backend: Backend) -> None:
    """What a step wrote before it raised is gone; the error comes back to who asked."""

    def half(transaction: Transaction) -> None:
        transaction.system_insert("_storage", FILE)
        raise ValueError("halfway")

    with pytest.raises(ValueError, match="halfway"):
        backend._host.transact(half)
    assert backend.query(sizes) == []


def test_a_step_of_a_lost_commit_is_told_so(backend: Backend) -> None:
    """No step is called done that is not durable."""

    def full() -> None:
        raise StorageFailure("the disk is full")

    backend.clock.faults["commit"] = full
    with pytest.raises(StorageFailure, match="the disk is full"):
        stored(backend)
    del backend.clock.faults["commit"]
    assert backend.query(sizes) == []
