"""What move_task promises: both counters, or nothing at all."""

import pytest
from headwater import Id
from headwater.errors import AppError
from headwater.testing import Backend

from backend.counters import tasks_key, value_of
from backend.projects import create_project
from backend.schema import Project
from backend.tasks import create_task, get_tasks, move_task


def open_tasks(backend: Backend, project_id: Id[Project]) -> int:
    """What the counter of a project says."""
    return backend.run(lambda ctx: value_of(ctx, tasks_key(project_id, completed=False)))


def test_both_counters_follow_a_move(backend: Backend) -> None:
    """One down, one up, and the task says when."""
    ana = backend.with_identity(subject="ana")
    home, garden = (ana.mutation(create_project, name=name) for name in ("Home", "Garden"))
    task_id = ana.mutation(create_task, title="Dig", project_id=home)

    ana.mutation(move_task, task_id=task_id, project_id=garden)

    assert (open_tasks(backend, home), open_tasks(backend, garden)) == (0, 1)
    assert ana.query(get_tasks)[0].moved_at is not None


def test_a_refused_move_leaves_nothing(backend: Backend) -> None:
    """The project is gone: the caller hears of it, and the old counter is what it was."""
    ana = backend.with_identity(subject="ana")
    home, gone = (ana.mutation(create_project, name=name) for name in ("Home", "Gone"))
    task_id = ana.mutation(create_task, title="Dig", project_id=home)
    backend.run(lambda ctx: ctx.db.delete(gone))

    with pytest.raises(AppError):
        ana.mutation(move_task, task_id=task_id, project_id=gone)

    assert open_tasks(backend, home) == 1
    assert ana.query(get_tasks)[0].project_id == home
