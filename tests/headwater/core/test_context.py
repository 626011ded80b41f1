"""`ctx`: what each kind of function gets, and what it does with it."""

from __future__ import annotations

from typing import Any

import pytest

from headwater import (
    UNSET,
    ActionCtx,
    Document,
    Id,
    MutationCtx,
    QueryCtx,
    UserIdentity,
    action,
    mutation,
    query,
)
from headwater.testing import Backend, FunctionFailed
from tests.headwater.core.things import backend_of


class Task(Document, table="tasks"):
    """A table with a field of each presence."""

    title: str
    rank: int | None = None
    note: str | None


class User(Document, table="users"):
    """Another one."""

    name: str


work: list[Any] = []
"""What the next call does; set by `do` and `see`."""


@mutation
async def act(ctx: MutationCtx) -> Any:
    """Does it."""
    return await work[0](ctx)


@query
async def look(ctx: QueryCtx) -> Any:
    """Looks."""
    return await work[0](ctx)


@action
async def reach(ctx: ActionCtx) -> Any:
    """Reaches out."""
    return await work[0](ctx)


@query
async def title_of(ctx: QueryCtx, task: Task) -> str:
    """Of a task that was read already."""
    return task.title


@pytest.fixture
def backend() -> Backend:
    """Nothing in it."""
    return backend_of(Task, User, act, look, reach, title_of)


def do(backend: Backend, what: Any) -> Any:
    """What a mutation gives that does this."""
    work[:] = [what]
    return backend.mutation(act)


async def new(ctx: MutationCtx) -> Id[Task]:
    """A task."""
    return await ctx.db.insert(Task(title="a", rank=1, note="n"))


def test_a_document_is_written_and_read(backend: Backend) -> None:
    """By id, by class and id, by table name and id."""

    async def all_forms(ctx: MutationCtx) -> Any:
        made = await new(ctx)
        typed, named = await ctx.db.get(made), await ctx.db.get("tasks", made)
        again = await ctx.db.get(Task, made)
        assert typed is not None
        assert named is not None
        assert again == typed
        return [typed.title, named["title"], typed.id == named["_id"] == made]

    assert do(backend, all_forms) == ["a", "a", True]


def test_patch_changes_what_it_names(backend: Backend) -> None:
    """None removes an optional field and is the value of a nullable one; UNSET removes."""

    async def patched(ctx: MutationCtx) -> Any:
        made = await new(ctx)
        await ctx.db.patch(made, title="b", rank=None, note=None)
        first = await ctx.db.get("tasks", made)
        await ctx.db.patch(made, {"rank": 2})
        await ctx.db.patch(made, rank=UNSET)
        return [first, await ctx.db.get("tasks", made)]

    for found in do(backend, patched):
        assert {k: v for k, v in found.items() if k[0] != "_"} == {"title": "b", "note": None}


def test_replace_and_delete(backend: Backend) -> None:
    """Fields not given are absent; what is gone is None."""

    async def replaced(ctx: MutationCtx) -> Any:
        made = await new(ctx)
        await ctx.db.replace(made, Task(title="b", note=None))
        task = await ctx.db.get(made)
        await ctx.db.delete(made)
        return [task and task.rank, await ctx.db.get(made)]

    assert do(backend, replaced) == [None, None]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda ctx: ctx.db.get(None), "expected a document id, got NoneType: was this document"),
        (lambda ctx: ctx.db.get("nonsense"), "is no document id"),
        (lambda ctx: ctx.db.insert("tasks"), "takes a dict of fields"),
        (lambda ctx: ctx.db.insert({"title": "a"}), r"takes a document such as Task\(\.\.\.\)"),
        (lambda ctx: ctx.db.insert("tasks", {"title": 1, "note": None}), "Path: .title"),
    ],
)
def test_wrong_calls_are_told(backend: Backend, wrong: Any, message: str) -> None:
    """In terms of what was called."""
    with pytest.raises(FunctionFailed, match=message):
        do(backend, wrong)


def test_an_id_of_another_table_is_refused(backend: Backend) -> None:
    """Where the table is named; as an argument of type Id[...] before the handler."""

    async def mistaken(ctx: MutationCtx) -> Any:
        return await ctx.db.get(User, await new(ctx))

    with pytest.raises(FunctionFailed, match="expected an id of table `users`"):
        do(backend, mistaken)


def test_a_text_is_normalized_to_an_id(backend: Backend) -> None:
    """None for another table's and for no id."""

    async def normalized(ctx: MutationCtx) -> Any:
        made = str(await new(ctx))
        ids = [ctx.db.normalize_id(table, made) for table in ("tasks", "users")]
        return [ids[0] == made, ids[1], ctx.db.normalize_id("tasks", "nonsense")]

    assert do(backend, normalized) == [True, None, None]


def test_a_read_document_can_be_passed_on(backend: Backend) -> None:
    """As an argument, and as a value inside another document."""

    async def passed(ctx: MutationCtx) -> Any:
        task = await ctx.db.get(await new(ctx))
        assert task is not None
        kept = await ctx.db.insert("kept", {"task": task, "list": [task]})
        found = await ctx.db.get("kept", kept)
        assert found is not None
        return [await ctx.run_query(title_of, task=task), found["list"][0]["title"]]

    assert do(backend, passed) == ["a", "a"]


def test_time_and_chance_are_the_call_s_own(backend: Backend) -> None:
    """Frozen while it runs, and repeatable from the clock's seed."""

    async def twice(ctx: MutationCtx) -> Any:
        return [ctx.now, ctx.now, ctx.random.random(), ctx.random.random()]

    first = do(backend, twice)
    backend.advance(seconds=1)
    second = do(backend, twice)
    assert first[0] == first[1] == second[0] - 1000
    assert len({*first[2:], *second[2:]}) == 4
    assert do(backend_of(Task, User, act, look, reach, title_of), twice) == first


def test_a_query_cannot_write(backend: Backend) -> None:
    """The method is simply not there."""

    async def write(ctx: Any) -> Any:
        return await ctx.db.insert("tasks", {"title": "a"})

    work[:] = [write]
    with pytest.raises(FunctionFailed, match=r"HW403 .*\n.*a query writes: ctx\.db\.insert\(\)"):
        backend.query(look)


def test_an_identity_is_there_or_required(backend: Backend) -> None:
    """None when nobody is signed in; require_identity says what to do."""

    async def who(ctx: QueryCtx) -> Any:
        identity: UserIdentity | None = await ctx.auth.get_user_identity()
        return identity and [identity.token_identifier, identity.name, dict(identity.claims)]

    async def required(ctx: QueryCtx) -> Any:
        return (await ctx.auth.require_identity()).subject

    work[:] = [who]
    ana = backend.with_identity(subject="ana", issuer="https://i", name="Ana", team_id=7)
    assert backend.query(look) is None
    assert ana.query(look) == ["https://i|ana", "Ana", {"teamId": 7.0}]
    work[:] = [required]
    assert ana.query(look) == "ana"
    with pytest.raises(FunctionFailed, match="Not signed in: this function needs an identity"):
        backend.query(look)


def test_an_action_reaches_data_by_functions(backend: Backend) -> None:
    """In its caller's name, each call a transaction of its own."""

    async def reaching(ctx: ActionCtx) -> Any:
        before = ctx.now
        task = await ctx.run_query(look)
        backend.advance(ms=5)
        return [task, ctx.now - before, (await ctx.auth.require_identity()).subject]

    async def dispatch(ctx: Any) -> Any:
        return await reaching(ctx) if isinstance(ctx, ActionCtx) else "from the query"

    work[:] = [dispatch]
    ana = backend.with_identity(subject="ana")
    assert ana.action(reach) == ["from the query", 5.0, "ana"]
