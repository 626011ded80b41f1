"""What reminders promise, with a clock moved by hand."""

from headwater import Id, MutationCtx
from headwater.testing import Backend, Caller

from backend.notifications import get_notifications, remind
from backend.schema import Task
from backend.tasks import create_task, remind_me, toggle_task
from backend.users import store_user


async def in_an_hour(ctx: MutationCtx) -> float:
    """The time that the tests want to be reminded at."""
    return ctx.now + 3_600_000


def asked(backend: Backend, person: Caller, title: str) -> Id[Task]:
    """A task of somebody's, of which they want to be reminded in an hour."""
    task_id = person.mutation(create_task, title=title)
    person.mutation(remind_me, task_id=task_id, at=backend.run(in_an_hour))
    return task_id


def test_a_reminder_comes_at_its_time(backend: Backend) -> None:
    """Not a minute earlier, and only if there still is something to do."""
    ana = backend.with_identity(subject="ana")
    asked(backend, ana, "Write")
    ana.mutation(toggle_task, task_id=asked(backend, ana, "Done by then"))
    backend.advance(minutes=59)
    assert ana.query(get_notifications) == []
    backend.advance(minutes=1)
    assert [each.text for each in ana.query(get_notifications)] == ["To do: Write"]


def test_running_the_job_twice_is_running_it_once(backend: Backend) -> None:
    """Who has not read the first reminder gets no second one."""
    ana = backend.with_identity(subject="ana")
    task_id = ana.mutation(create_task, title="Write")
    for _ in range(2):
        backend.mutation(remind, task_id=task_id, user_id=ana.mutation(store_user))
    assert len(ana.query(get_notifications)) == 1
