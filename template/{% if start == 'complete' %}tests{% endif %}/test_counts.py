"""What counts of tasks promise, and what they cost."""

from headwater.testing import Backend

from backend.projects import create_project
from backend.tasks import (
    TaskCounts,
    count_tasks,
    create_task,
    delete_task,
    move_task,
    toggle_task,
)


def test_a_count_is_true_and_costs_the_same(backend: Backend) -> None:
    """After every way in, across and out, and for 20 tasks as for two."""
    ana = backend.with_identity(subject="ana")
    project = ana.mutation(create_project, name="Boats")
    elsewhere = ana.mutation(create_project, name="Trains")
    tasks = [ana.mutation(create_task, title=str(n), project_id=project) for n in range(2)]
    ana.mutation(toggle_task, task_id=tasks[0])
    assert ana.query(count_tasks, project_id=project) == TaskCounts(open=1, completed=1)
    few = backend.stats.documents_read

    tasks += [ana.mutation(create_task, title=str(n), project_id=project) for n in range(18)]
    for task in tasks[17:]:
        ana.mutation(toggle_task, task_id=task)
    ana.mutation(move_task, task_id=tasks[19], project_id=elsewhere)
    ana.mutation(delete_task, task_id=tasks[0])
    ana.mutation(delete_task, task_id=tasks[1])

    assert ana.query(count_tasks, project_id=project) == TaskCounts(open=15, completed=2)
    assert backend.stats.documents_read == few
