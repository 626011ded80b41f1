"""What recent_messages promises, and what runs it again."""

from headwater import MutationCtx
from headwater.testing import Backend

from backend.messages import recent_messages, send_message


async def now(ctx: MutationCtx) -> float:
    """The backend's clock."""
    return ctx.now


def test_it_runs_for_what_it_lists_and_for_nothing_else(backend: Backend) -> None:
    """Another room runs it not once; a message here is one push."""
    ana = backend.with_identity(subject="ana")
    recent = ana.subscribe(recent_messages, room_id="general", since=backend.run(now))

    for _ in range(3):
        ana.mutation(send_message, room_id="elsewhere", content="Not for you")
    assert (recent.value, recent.runs) == ([], 1)

    ana.mutation(send_message, room_id="general", content="Hello")
    assert [message.content for message in recent.value] == ["Hello"]
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
