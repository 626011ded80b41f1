"""What chat rooms promise."""

import pytest
from headwater import Id, PaginationOptions
from headwater.testing import Backend, FunctionFailed

from backend.messages import (
    delete_message,
    list_messages,
    page_messages,
    search_messages,
    send_message,
)
from backend.projects import create_project
from backend.rooms import create_room
from backend.schema import Message
from tests.people import refused


def room_of(backend: Backend, owner: str) -> str:
    """A room in a project of somebody's own."""
    person = backend.with_identity(subject=owner)
    project_id = person.mutation(create_project, name="Boats")
    return person.mutation(create_room, project_id=project_id, name="Harbour")


def test_messages_are_listed_oldest_first(backend: Backend) -> None:
    """A room reads from top to bottom, with who said it."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    ana.mutation(send_message, room_id="general", content="Hello")
    backend.advance(seconds=1)
    ben.mutation(send_message, room_id="general", content="Hi")
    messages = ana.query(list_messages, room_id="general")
    assert [(m.user_id, m.content) for m in messages] == [("ana", "Hello"), ("ben", "Hi")]


def test_a_long_room_shows_its_last_50(backend: Backend) -> None:
    """Of 60 messages, sent in 10 minutes, the newest 50 are listed and the last one comes last."""
    ana = backend.with_identity(subject="ana")
    for number in range(60):
        ana.mutation(send_message, room_id="general", content=str(number))
        backend.advance(seconds=10)
    listed = [message.content for message in ana.query(list_messages, room_id="general")]
    assert listed == [str(number) for number in range(10, 60)]


def test_rooms_are_apart(backend: Backend) -> None:
    """A message in one room is not pushed to those who watch another."""
    ana, room_id = backend.with_identity(subject="ana"), room_of(backend, "ana")
    subscription = ana.subscribe(list_messages, room_id=room_id)
    ana.mutation(send_message, room_id="general", content="Hello")
    assert subscription.value == []
    assert subscription.runs == 1
    subscription.close()


def test_pages_go_back_in_time(backend: Backend) -> None:
    """The first page has the newest message first, the next goes on where it ended."""
    ana = backend.with_identity(subject="ana")
    for number in range(5):
        ana.mutation(send_message, room_id="general", content=str(number))
    first = ana.query(
        page_messages,
        room_id="general",
        pagination_opts=PaginationOptions(num_items=3, cursor=None),
    )
    following = PaginationOptions(num_items=3, cursor=first.continue_cursor)
    second = ana.query(page_messages, room_id="general", pagination_opts=following)
    assert [message.content for message in first.page] == ["4", "3", "2"]
    assert ([message.content for message in second.page], second.is_done) == (["1", "0"], True)


def test_a_search_finds_words_of_its_room(backend: Backend) -> None:
    """In the room that was asked about, and nowhere else."""
    ana, room_id = backend.with_identity(subject="ana"), room_of(backend, "ana")
    ana.mutation(send_message, room_id=room_id, content="The red boat is mine")
    ana.mutation(send_message, room_id="general", content="Whose is the red boat?")
    found = ana.query(search_messages, room_id=room_id, words="boat")
    assert [message.content for message in found] == ["The red boat is mine"]


def said(backend: Backend, subject: str, room_id: str = "general") -> Id[Message]:
    """A message of somebody's."""
    person = backend.with_identity(subject=subject)
    return person.mutation(send_message, room_id=room_id, content="Hello")


def test_who_said_it_may_take_it_back(backend: Backend) -> None:
    """And nobody else in the lobby."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    message_id = said(backend, "ana")
    with refused("FORBIDDEN"):
        ben.mutation(delete_message, message_id=message_id)
    ana.mutation(delete_message, message_id=message_id)
    assert ana.query(list_messages, room_id="general") == []


def test_a_stranger_to_the_project_finds_no_room(backend: Backend) -> None:
    """The room might as well not exist: for reading, writing, searching and deleting."""
    room_id = room_of(backend, "ana")
    message_id = said(backend, "ana", room_id)
    ben = backend.with_identity(subject="ben")
    options = PaginationOptions(num_items=3, cursor=None)
    with refused("NOT_FOUND"):
        ben.query(list_messages, room_id=room_id)
    with refused("NOT_FOUND"):
        ben.query(page_messages, room_id=room_id, pagination_opts=options)
    with refused("NOT_FOUND"):
        ben.query(search_messages, room_id=room_id, words="hello")
    with refused("NOT_FOUND"):
        ben.mutation(send_message, room_id=room_id, content="Hello")
    with refused("NOT_FOUND"):
        ben.mutation(delete_message, message_id=message_id)


@pytest.mark.parametrize("room_id", ["", "lobby", "0" * 32])
def test_a_room_that_is_none_is_refused(backend: Backend, room_id: str) -> None:
    """Rooms are opened with `create_room`, not by talking in them."""
    ana = backend.with_identity(subject="ana")
    with refused("NOT_FOUND"):
        ana.mutation(send_message, room_id=room_id, content="Hello")


def test_a_visitor_sees_nothing_and_says_nothing(backend: Backend) -> None:
    """The page asks before anybody has signed in, so the list is empty and not an error."""
    said(backend, "ana")
    assert backend.query(list_messages, room_id="general") == []
    with pytest.raises(FunctionFailed, match="Not signed in"):
        backend.query(search_messages, room_id="general", words="hello")
    with pytest.raises(FunctionFailed, match="Not signed in"):
        backend.mutation(send_message, room_id="general", content="Hello")
