"""What the arguments of create_task promise."""

from typing import Any

import pytest
from headwater.testing import Backend, FunctionFailed

from backend.messages import send_message
from backend.projects import create_project, get_projects
from backend.tasks import create_task, get_tasks


def test_a_task_keeps_its_priority_and_its_project(backend: Backend) -> None:
    """What was given is stored as it was given."""
    ana = backend.with_identity(subject="ana")
    project_id = ana.mutation(create_project, name="Boat")
    ana.mutation(create_task, title="Paint", priority="high", project_id=project_id)
    task = ana.query(get_tasks)[0]
    assert (task.priority, task.project_id) == ("high", project_id)


def test_what_is_left_out_stays_absent(backend: Backend) -> None:
    """Both new fields are optional."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(create_task, title="Paint")
    task = ana.query(get_tasks)[0]
    assert task.priority is None
    assert task.project_id is None


@pytest.mark.parametrize(
    "wrong",
    [{"priority": "urgent"}, {"priority": None}, {"projectId": "boat"}, {"colour": "red"}],
    ids=str,
)
def test_a_bad_argument_is_refused(backend: Backend, wrong: dict[str, Any]) -> None:
    """A client that sends something else is told so, and nothing is stored."""
    ana = backend.with_identity(subject="ana")
    with pytest.raises(FunctionFailed, match="ArgumentValidationError"):
        ana.mutation("tasks:createTask", {"title": "Paint", **wrong})
    assert ana.query(get_tasks) == []


def test_the_id_of_a_message_is_no_project(backend: Backend) -> None:
    """An id knows its table."""
    ana = backend.with_identity(subject="ana")
    message_id = ana.mutation(send_message, room_id="general", content="Hello")
    with pytest.raises(FunctionFailed, match="ArgumentValidationError"):
        ana.mutation("tasks:createTask", {"title": "Paint", "projectId": message_id})


def test_a_project_does_not_change_with_its_tasks(backend: Backend) -> None:
    """The child knows its parent, and the parent's document stays as it was."""
    ana = backend.with_identity(subject="ana")
    project_id = ana.mutation(create_project, name="Boat")
    before = ana.query(get_projects)
    ana.mutation(create_task, title="Paint", project_id=project_id)
    assert ana.query(get_projects) == before
