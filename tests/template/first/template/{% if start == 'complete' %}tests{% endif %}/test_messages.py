"""What chat rooms promise."""

from headwater.testing import Backend

from backend.messages import list_messages, send_message


def test_messages_are_listed_oldest_first(backend: Backend) -> None:
    """A room reads from top to bottom, with who said it."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    ana.mutation(send_message, room_id="general", content="Hello")
    backend.advance(seconds=1)
    ben.mutation(send_message, room_id="general", content="Hi")
    messages = backend.query(list_messages, room_id="general")
    assert [(m.user_id, m.content) for m in messages] == [("ana", "Hello"), ("ben", "Hi")]


def test_a_long_room_shows_its_last_50(backend: Backend) -> None:
    """Of 60 messages, sent in 10 minutes, the newest 50 are listed and the last one comes last."""
    ana = backend.with_identity(subject="ana")
    for number in range(60):
        ana.mutation(send_message, room_id="general", content=str(number))
        backend.advance(seconds=10)
    listed = [message.content for message in backend.query(list_messages, room_id="general")]
    assert listed == [str(number) for number in range(10, 60)]


def test_rooms_are_apart(backend: Backend) -> None:
    """A message in one room is not pushed to those who watch another."""
    subscription = backend.subscribe(list_messages, room_id="quiet")
    backend.with_identity(subject="ana").mutation(send_message, room_id="general", content="Hello")
    assert subscription.value == []
    assert subscription.runs == 1
    subscription.close()
