"""What people are told, and when."""

import pytest
from headwater import Id, MutationCtx
from headwater.testing import Backend, Caller

from backend.members import remove_member
from backend.notifications import (
    BATCH,
    SHOWN,
    get_notifications,
    mark_all_read,
    mark_read,
    notify,
)
from backend.schema import Task
from backend.tasks import create_task, delete_task, remind_me, toggle_task
from backend.users import store_user
from tests.people import Team, refused
from tests.scene import now

HOUR_MS = 3_600_000


def texts(person: Caller) -> list[str]:
    """What somebody has been told."""
    return [each.text for each in person.query(get_notifications)]


def remind(backend: Backend, person: Caller, title: str = "Write") -> Id[Task]:
    """A task of somebody's, of which they want to be reminded in an hour."""
    task_id = person.mutation(create_task, title=title)
    person.mutation(remind_me, task_id=task_id, at=backend.run(now) + HOUR_MS)
    return task_id


def test_a_reminder_comes_at_its_time(backend: Backend) -> None:
    """Not a minute earlier, once, and to who asked for it."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    remind(backend, ana)
    backend.advance(minutes=59)
    assert texts(ana) == []
    backend.advance(minutes=1)
    backend.advance(hours=1)
    assert texts(ana) == ["To do: Write"]
    assert texts(ben) == []


def test_what_needs_no_doing_any_more_is_not_reminded_of(backend: Backend) -> None:
    """The reminder looks at the task when it is due, not when it was asked for."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(toggle_task, task_id=remind(backend, ana, "Completed"))
    ana.mutation(delete_task, task_id=remind(backend, ana, "Deleted"))
    remind(backend, ana, "Still open")
    backend.advance(hours=1)
    assert texts(ana) == ["To do: Still open"]


def test_who_has_not_read_a_reminder_gets_no_second_one(backend: Backend) -> None:
    """Whether the job runs twice or was asked for twice; once it is read, another may come."""
    ana = backend.with_identity(subject="ana")
    task_id = remind(backend, ana)
    ana.mutation(remind_me, task_id=task_id, at=backend.run(now) + HOUR_MS)
    backend.advance(hours=1)
    (told,) = ana.query(get_notifications)
    ana.mutation(mark_read, notification_id=told.id)
    ana.mutation(remind_me, task_id=task_id, at=backend.run(now) + HOUR_MS)
    backend.advance(hours=1)
    assert texts(ana) == ["To do: Write", "To do: Write"]


def test_who_has_left_the_project_is_not_reminded(team: Team) -> None:
    """What is in a project is told to its members only."""
    task_id = team.cleo.mutation(create_task, title="Dig", project_id=team.project_id)
    team.cleo.mutation(remind_me, task_id=task_id, at=team.backend.run(now) + HOUR_MS)
    team.ana.mutation(remove_member, member_id=team.member_id("cleo"))
    team.backend.advance(hours=1)
    assert texts(team.cleo) == []


@pytest.mark.parametrize("in_ms", [0, -1, 367 * 24 * HOUR_MS])
def test_a_reminder_is_for_a_time_to_come(backend: Backend, in_ms: float) -> None:
    """And for one within a year: nothing waits for ever."""
    ana = backend.with_identity(subject="ana")
    task_id = ana.mutation(create_task, title="Write")
    with refused("INVALID"):
        ana.mutation(remind_me, task_id=task_id, at=backend.run(now) + in_ms)


def test_what_is_unread_comes_before_what_is_read(backend: Backend) -> None:
    """Each newest first, and no more than are shown."""
    ana = tell(backend, SHOWN + 2)
    newest = ana.query(get_notifications)
    assert [each.text for each in newest[:2]] == [f"News {SHOWN + 1}", f"News {SHOWN}"]
    assert len(newest) == SHOWN
    for each in newest[:-1]:
        ana.mutation(mark_read, notification_id=each.id)
    assert texts(ana)[:3] == ["News 2", "News 1", "News 0"]


def test_all_are_read_in_batches(backend: Backend) -> None:
    """More than one transaction takes are all marked in the end, and nobody else's are."""
    ana = tell(backend, BATCH + 1)
    ben = tell(backend, 1, "ben")
    ana.mutation(mark_all_read)
    backend.advance()
    assert all(each.read_at is not None for each in ana.query(get_notifications))
    assert [each.read_at for each in ben.query(get_notifications)] == [None]


def test_only_their_owner_marks_them(backend: Backend) -> None:
    """For everyone else they do not exist."""
    ana, ben = tell(backend, 1), backend.with_identity(subject="ben")
    (told,) = ana.query(get_notifications)
    with refused("NOT_FOUND"):
        ben.mutation(mark_read, notification_id=told.id)


def tell(backend: Backend, count: int, name: str = "ana") -> Caller:
    """Somebody who has been told a number of things."""
    person = backend.with_identity(subject=name)
    user_id = person.mutation(store_user)

    async def tell_all(ctx: MutationCtx) -> None:
        for number in range(count):
            await notify(ctx, user_id, "summary", f"News {number}")

    backend.run(tell_all)
    return person
