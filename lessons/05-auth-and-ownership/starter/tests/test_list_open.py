"""What list_open promises, and what it costs."""

from headwater.testing import Backend

from backend.projects import create_project
from backend.tasks import create_task, list_open, toggle_task


def test_it_reads_what_it_returns(backend: Backend) -> None:
    """Completed tasks and other projects cost nothing; three more say who may read: the
    user, their membership and the project.
    """
    ana = backend.with_identity(subject="ana")
    here = ana.mutation(create_project, name="Here")
    elsewhere = ana.mutation(create_project, name="Elsewhere")
    for number in range(20):
        ana.mutation(create_task, title=f"Other {number}", project_id=elsewhere)
        task_id = ana.mutation(create_task, title=f"Task {number}", project_id=here)
        if number >= 5:
            ana.mutation(toggle_task, task_id=task_id)

    found = ana.query(list_open, project_id=here)

    assert [task.title for task in found] == [f"Task {number}" for number in range(4, -1, -1)]
    assert backend.stats.documents_read <= len(found) + 3
