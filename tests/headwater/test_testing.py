"""`headwater.testing`: the real engine in a test, with a clock moved by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater import AppError, Document, Id, MutationCtx, QueryCtx, internal_query, mutation, query
from headwater.core.placement import InProcess
from headwater.settings import Limits
from headwater.testing import Backend, FunctionFailed
from tests.headwater.core.things import app_of, backend_of
from tests.headwater.projects import TASKS, write_project


class Task(Document, table="tasks"):
    """A table."""

    title: str


@mutation
async def create(ctx: MutationCtx, title: str) -> Id[Task]:
    """A task, unless its title is empty."""
    if not title:
        raise AppError({"code": "EMPTY"})
    return await ctx.db.insert(Task(title=title))


@query
async def list_tasks(ctx: QueryCtx, at_most: int = 10) -> list[Task]:
    """Tasks; a task called `bomb` is too many."""
    tasks = await ctx.db.query(Task).take(at_most)
    if any(task.title == "bomb" for task in tasks):
        raise AppError("boom")
    return tasks


@mutation
async def now(ctx: MutationCtx) -> float:
    """The time."""
    return ctx.now


@pytest.fixture
def things() -> Backend:
    """An empty backend."""
    return backend_of(Task, create, list_tasks, now)


def test_by_reference_python_goes_in_and_out(things: Backend) -> None:
    """Arguments by name or position; models come back."""
    task_id = things.mutation(create, title="a")
    things.mutation(create, "b")
    first, second = things.query(list_tasks)
    assert (first.id, first.title, second.title) == (task_id, "a", "b")
    assert [task.title for task in things.query(list_tasks, at_most=1)] == ["a"]


def test_by_path_wire_values_go_in_and_out(things: Backend) -> None:
    """As a client would send and get them."""
    task_id = things.mutation("things:create", {"title": "a"})
    (found,) = things.query("things:listTasks", {"atMost": 5})
    assert (found["_id"], type(found["_creationTime"])) == (task_id, float)


def test_errors_are_those_of_a_client(things: Backend) -> None:
    """An AppError with its data, everything else as a text."""
    with pytest.raises(AppError) as error:
        things.mutation(create, title="")
    assert error.value.data == {"code": "EMPTY"}
    with pytest.raises(FunctionFailed, match="ArgumentValidationError"):
        things.mutation("things:create", {})


def test_a_followed_query_is_pushed(things: Backend) -> None:
    """Each change once; errors come and go; after close nothing comes."""
    followed = things.subscribe(list_tasks, at_most=2)
    bomb = things.mutation(create, title="bomb")
    with pytest.raises(AppError, match="boom"):
        _ = followed.value
    for title in "ab":
        things.mutation(create, title=title)
    assert bomb
    assert (len(followed.updates), followed.runs) == (1, 3)
    followed.close()
    things.mutation(create, title="c")
    assert followed.updates == [[]]


def test_a_followed_query_gives_python_or_wire_values(things: Backend) -> None:
    """As it was named."""
    things.mutation(create, title="a")
    by_reference, by_path = things.subscribe(list_tasks), things.subscribe("things:listTasks")
    assert by_reference.value[0].title == by_path.value[0]["title"] == "a"


@internal_query
async def hidden(ctx: QueryCtx) -> str:
    """For the backend itself."""
    return "hidden"


def test_an_internal_query_is_followed_by_reference() -> None:
    """As it is called; by its path it is not there, as for clients."""
    things = backend_of(hidden)
    assert things.subscribe(hidden).value == "hidden"
    with pytest.raises(FunctionFailed, match="Could not find public function"):
        _ = things.subscribe("things:hidden").value
    things.close()


def test_the_clock_is_moved_by_hand(things: Backend) -> None:
    """In whatever unit reads best."""
    before = things.mutation(now)
    things.advance(days=1, hours=2, minutes=3, seconds=4, ms=5)
    assert things.mutation(now) - before == 93_784_005


def test_figures_of_the_last_call(things: Backend) -> None:
    """What it read and wrote, and what the engine did so far."""
    things.mutation(create, title="a")
    assert things.stats.documents_written == 1
    things.query(list_tasks)
    assert (things.stats.documents_read, things.last_call.entered) == (1, True)
    assert things.engine_stats.mutations == 1
    assert list(things.manifest.tables) == ["tasks"]


def test_backends_do_not_meet() -> None:
    """A closed one gives its database to the next, as empty as it was."""
    placement = InProcess(app_of(Task, create, list_tasks), Limits())
    for _ in range(3):
        made = Backend(placement)
        assert made.query(list_tasks) == []
        made.mutation(create, title="a")
        made.close()


def test_a_project_is_loaded_from_its_folder(tmp_path: Path) -> None:
    """As the `backend` fixture does."""
    backend = Backend.load(write_project(tmp_path, tasks=TASKS))
    assert backend.mutation("tasks:add", {"title": "a"}) == 1.0
    assert backend.query("tasks:titles") == ["a"]


def test_load_limit_s_is_the_limit_of_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a test loads may take as long as what a server loads."""
    taken: list[object] = []

    def load(root: Path, limit_s: float) -> object:
        taken.append(limit_s)
        return app_of()

    monkeypatch.setattr("headwater.testing.load", load)
    Backend.load(tmp_path)
    assert taken == [Limits().load_limit_s]
