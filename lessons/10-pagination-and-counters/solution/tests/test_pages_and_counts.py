"""What pages and counts promise, and what they cost."""

from headwater import PaginationOptions
from headwater.testing import Backend

from backend.messages import page_messages, send_message
from backend.projects import create_project
from backend.tasks import TaskCounts, count_tasks, create_task, delete_task, toggle_task


def page(number: int, cursor: str | None) -> PaginationOptions:
    """What a client asks for: so many messages, from there on."""
    return PaginationOptions(num_items=number, cursor=cursor)


def test_a_new_message_moves_no_page(backend: Backend) -> None:
    """The second page goes on where the first one ended, and reads no more than it shows."""
    ana = backend.with_identity(subject="ana")
    for number in range(6):
        ana.mutation(send_message, room_id="general", content=str(number))
        backend.advance(seconds=10)
    first = ana.query(page_messages, room_id="general", pagination_opts=page(3, None))
    ana.mutation(send_message, room_id="general", content="new")

    cursor = first.continue_cursor
    second = ana.query(page_messages, room_id="general", pagination_opts=page(3, cursor))

    assert [message.content for message in first.page + second.page] == list("543210")
    assert backend.stats.documents_read <= 4


def test_a_count_is_true_and_cheap(backend: Backend) -> None:
    """After every way in, across and out; two documents, however many tasks."""
    ana = backend.with_identity(subject="ana")
    project = ana.mutation(create_project, name="Boats")
    tasks = [ana.mutation(create_task, title=str(n), project_id=project) for n in range(20)]
    for task in tasks[:7]:
        ana.mutation(toggle_task, task_id=task)
    ana.mutation(delete_task, task_id=tasks[0])
    ana.mutation(delete_task, task_id=tasks[19])

    assert ana.query(count_tasks, project_id=project) == TaskCounts(open=12, completed=6)
    assert backend.stats.documents_read <= 2
