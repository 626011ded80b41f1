"""What recent_messages promises, and what runs it again."""

from headwater import Id, MutationCtx
from headwater.testing import Backend

from backend.messages import recent_messages, send_message
from backend.projects import create_project
from backend.rooms import create_room
from backend.schema import Room


async def now(ctx: MutationCtx) -> float:
    """The backend's clock."""
    return ctx.now


def room_of(backend: Backend, owner: str) -> Id[Room]:
    """A room in a project of somebody's own."""
    person = backend.with_identity(subject=owner)
    project_id = person.mutation(create_project, name="Boats")
    return person.mutation(create_room, project_id=project_id, name="Harbour")


def test_what_is_older_than_asked_for_costs_nothing(backend: Backend) -> None:
    """A subscription to the last minute runs for what is said in it, and for nothing else."""
    ana, room_id = backend.with_identity(subject="ana"), room_of(backend, "ana")
    ana.mutation(send_message, room_id=room_id, content="Before")
    backend.advance(minutes=2)
    since = backend.run(now) - 60_000
    recent = ana.subscribe(recent_messages, room_id=room_id, since=since)
    ana.mutation(send_message, room_id="general", content="Elsewhere")
    assert (recent.value, recent.runs) == ([], 1)
    ana.mutation(send_message, room_id=room_id, content="Now")
    assert [message.content for message in recent.value] == ["Now"]
    assert recent.runs == 2
    recent.close()


def test_time_is_an_argument(backend: Backend) -> None:
    """An hour later nothing has run; who wants a later beginning asks for it."""
    ana = backend.with_identity(subject="ana")
    since = backend.run(now)
    ana.mutation(send_message, room_id="general", content="Early")
    recent = ana.subscribe(recent_messages, room_id="general", since=since)
    backend.advance(hours=1)
    assert ([message.content for message in recent.value], recent.runs) == (["Early"], 1)
    assert ana.query(recent_messages, room_id="general", since=backend.run(now)) == []
    recent.close()
