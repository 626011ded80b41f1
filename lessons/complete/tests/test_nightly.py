"""What happens every night: the days are recorded, and what is no longer needed goes."""

from headwater import Document, MutationCtx
from headwater.testing import Backend

from backend import cleanup
from backend.counters import bump_today
from backend.invitations import invite
from backend.messages import send_message
from backend.projects import delete_project, get_projects, restore_project
from backend.schema import (
    Counter,
    DailyStatistic,
    Invitation,
    Message,
    Presence,
    Project,
    ProjectMember,
    RateLimit,
    Room,
    Task,
    WebhookEvent,
)
from backend.statistics import get_days
from backend.tasks import create_task, delete_task, get_tasks, toggle_task
from tests.people import Team


def count(backend: Backend, table: type[Document]) -> int:
    """How many documents a table has."""
    return len(backend.run(lambda ctx: ctx.db.query(table).collect()))


def pass_days(backend: Backend, days: int) -> None:
    """Lets days pass, of which only the last has its night: in the others no server was there."""
    backend.clock.advance((days - 1) * cleanup.DAY_MS)  # the clock alone: no cron runs
    backend.advance(days=1)


def test_a_day_is_recorded_in_the_night_after_it(backend: Backend) -> None:
    """What was created and completed, and by how many; its counters are gone then."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    ana.mutation(create_task, title="Write")
    task_id = ben.mutation(create_task, title="Read")
    ben.mutation(toggle_task, task_id=task_id)
    assert backend.query(get_days, limit=10) == []
    backend.advance(days=1)
    (day,) = backend.query(get_days, limit=10)
    assert (day.day, day.tasks_created, day.tasks_completed) == ("2023-11-14", 2, 1)
    assert day.active_users == 2
    assert count(backend, Counter) == 0


def test_days_without_a_server_are_recorded_later(backend: Backend) -> None:
    """Counters of several days make a statistic each; a quiet day makes none."""
    ana = backend.with_identity(subject="ana")
    for days in (0, 1, 3):
        backend.clock.advance(days * 24 * 3_600_000)  # the clock alone: no cron runs
        ana.mutation(create_task, title="Write")
    backend.advance(days=1)
    days_recorded = [day.day for day in backend.query(get_days, limit=10)]
    assert days_recorded == ["2023-11-18", "2023-11-15", "2023-11-14"]
    assert backend.query(get_days, limit=1)[0].tasks_created == 1


def test_what_no_statistic_has_a_field_for_is_a_mistake_one_sees(backend: Backend) -> None:
    """Every `bump_today` names a field of DailyStatistic."""
    backend.run(lambda ctx: bump_today(ctx, "messages"))
    assert {"tasks_created", "tasks_completed", "messages", "active_users"} == (
        DailyStatistic.model_fields.keys() - {"id", "creation_time", "day"}
    )


def test_deleted_tasks_are_kept_for_thirty_days(backend: Backend) -> None:
    """Then they go, more than a batch of them too, and what is not deleted stays."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(create_task, title="Stay")
    ana.mutation(delete_task, task_id=ana.mutation(create_task, title="Go"))

    async def more(ctx: MutationCtx) -> None:
        for _ in range(cleanup.BATCH):
            await ctx.db.insert(Task(title="Go", assignee="ana", deleted_at=ctx.now))

    backend.run(more)
    pass_days(backend, 29)
    assert count(backend, Task) == cleanup.BATCH + 2
    backend.advance(days=2)
    assert count(backend, Task) == 1
    assert [task.title for task in ana.query(get_tasks)] == ["Stay"]


def test_a_deleted_project_goes_with_all_that_was_in_it(team: Team) -> None:
    """After 30 days; until then it can be restored."""
    backend, ana = team.backend, team.ana
    fill(team)
    ana.mutation(delete_project, project_id=team.project_id)
    pass_days(backend, 29)
    ana.mutation(restore_project, project_id=team.project_id)
    pass_days(backend, 31)
    assert [project.name for project in ana.query(get_projects)] == ["Garden"]
    ana.mutation(delete_project, project_id=team.project_id)
    pass_days(backend, 31)
    for table in (Project, ProjectMember, Invitation, Task, Room, Message, Counter):
        assert count(backend, table) == (1 if table is Message else 0), table


def fill(team: Team) -> None:
    """Something of everything that a project has, and a message that belongs to none."""
    team.ana.mutation(send_message, room_id="general", content="Stay")
    team.ana.action(invite, project_id=team.project_id, role="member")
    for _ in range(3):
        team.cleo.mutation(create_task, title="Dig", project_id=team.project_id)

    async def talk(ctx: MutationCtx) -> None:
        room_id = await ctx.db.insert(Room(project_id=team.project_id, name="Plans"))
        for _ in range(cleanup.BATCH + 1):
            await ctx.db.insert(
                Message(content="Go", user_id="ana", room_id=room_id, timestamp=ctx.now)
            )

    team.backend.run(talk)


def test_what_is_short_lived_goes_when_it_is_old(team: Team) -> None:
    """Full buckets and people long gone after a day, events and invitations after a week."""
    team.ana.mutation(send_message, room_id="general", content="Hello")
    team.ana.action(invite, project_id=team.project_id, role="member")
    user_id = team.user_id("ana")

    async def leave_traces(ctx: MutationCtx) -> None:
        await ctx.db.insert(
            Presence(room_id="general", user_id=user_id, name="ana", seen_at=ctx.now)
        )
        await ctx.db.insert(WebhookEvent(event_id="1", received_at=ctx.now))

    team.backend.run(leave_traces)
    tables = (RateLimit, Presence, WebhookEvent, Invitation)
    assert 0 not in [count(team.backend, table) for table in tables]
    team.backend.advance(days=2)
    assert [count(team.backend, table) > 0 for table in tables] == [False, False, True, True]
    team.backend.advance(days=6)
    assert [count(team.backend, table) for table in tables] == [0, 0, 0, 0]
