"""What tasks promise. `backend` is the real engine on a database in memory, new for each test."""

import pytest
from headwater.errors import AppError
from headwater.testing import Backend, FunctionFailed

from backend.tasks import create_task, delete_task, get_tasks, get_tasks_by_assignee, toggle_task


def test_a_created_task_is_listed_newest_first(backend: Backend) -> None:
    """What ana creates is on top of her list."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(create_task, title="Write")
    ana.mutation(create_task, title="Read")
    assert [task.title for task in ana.query(get_tasks)] == ["Read", "Write"]


def test_people_list_their_own_tasks(backend: Backend) -> None:
    """Ben does not see ana's tasks in his list, and a visitor sees none at all."""
    backend.with_identity(subject="ana").mutation(create_task, title="Write")
    assert backend.with_identity(subject="ben").query(get_tasks) == []
    assert backend.query(get_tasks) == []


def test_people_list_their_own_tasks_by_name_too(backend: Backend) -> None:
    """What is in no project is nobody else's business."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(create_task, title="Write")
    assert [task.title for task in ana.query(get_tasks_by_assignee, assignee="ana")] == ["Write"]
    ben = backend.with_identity(subject="ben")
    ben.mutation(create_task, title="Read")
    assert ben.query(get_tasks_by_assignee, assignee="ana") == []


def test_toggling_completes_and_opens_again(backend: Backend) -> None:
    """Two toggles leave a task as it was."""
    ana = backend.with_identity(subject="ana")
    task_id = ana.mutation(create_task, title="Write")
    ana.mutation(toggle_task, task_id=task_id)
    assert ana.query(get_tasks)[0].completed
    ana.mutation(toggle_task, task_id=task_id)
    assert not ana.query(get_tasks)[0].completed


def test_a_subscription_sees_the_change(backend: Backend) -> None:
    """A commit pushes the new list to everyone who is subscribed to it."""
    ana = backend.with_identity(subject="ana")
    subscription = ana.subscribe(get_tasks)
    ana.mutation(create_task, title="Write")
    assert [task.title for task in subscription.value] == ["Write"]
    subscription.close()


def test_nobody_changes_the_task_of_another(backend: Backend) -> None:
    """Ben may neither toggle nor delete ana's task, and it stays."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    task_id = ana.mutation(create_task, title="Write")
    for change in (toggle_task, delete_task):
        with pytest.raises(AppError) as refused:
            ben.mutation(change, task_id=task_id)
        assert refused.value.data["code"] == "FORBIDDEN"
    assert not ana.query(get_tasks)[0].completed


def test_a_deleted_task_is_gone(backend: Backend) -> None:
    """Deleting twice says NOT_FOUND the second time."""
    ana = backend.with_identity(subject="ana")
    task_id = ana.mutation(create_task, title="Write")
    ana.mutation(delete_task, task_id=task_id)
    assert ana.query(get_tasks) == []
    with pytest.raises(AppError) as refused:
        ana.mutation(delete_task, task_id=task_id)
    assert refused.value.data["code"] == "NOT_FOUND"


def test_a_title_that_is_too_long_is_refused(backend: Backend) -> None:
    """The signature is the validator: 201 characters never reach the handler."""
    ana = backend.with_identity(subject="ana")
    with pytest.raises(FunctionFailed, match="at most 200 characters"):
        ana.mutation(create_task, title="x" * 201)
    assert ana.query(get_tasks) == []
