"""What the limit on messages promises, with a clock moved by hand."""

import pytest
from headwater.errors import AppError
from headwater.testing import Backend, Caller

from backend.messages import BURST, REFILL_MS, list_messages, send_message


def send(person: Caller, count: int = 1) -> None:
    """Send some messages to the same room."""
    for _ in range(count):
        person.mutation(send_message, room_id="general", content="Hello")


def test_the_sixth_message_at_once_is_refused(backend: Backend) -> None:
    """The refusal says when to come back, and the message is not stored."""
    ana = backend.with_identity(subject="ana")
    send(ana, BURST)
    with pytest.raises(AppError) as refused:
        send(ana)
    assert refused.value.data == {"code": "RATE_LIMITED", "retry_after_ms": REFILL_MS}
    assert len(ana.query(list_messages, room_id="general")) == BURST


def test_one_token_grows_in_its_time(backend: Backend) -> None:
    """Not a millisecond earlier, and one only."""
    ana = backend.with_identity(subject="ana")
    send(ana, BURST)
    backend.advance(ms=REFILL_MS - 1)
    with pytest.raises(AppError):
        send(ana)
    backend.advance(ms=1)
    send(ana)
    with pytest.raises(AppError):
        send(ana)


def test_fractions_of_a_token_are_kept(backend: Backend) -> None:
    """Who sends every 15 seconds has a whole token more after the second time."""
    ana = backend.with_identity(subject="ana")
    send(ana, BURST)
    for _ in range(2):
        backend.advance(ms=1.5 * REFILL_MS)
        send(ana)
    send(ana)
    with pytest.raises(AppError):
        send(ana)


def test_a_long_silence_fills_the_bucket_and_no_more(backend: Backend) -> None:
    """After a day it is five again."""
    ana = backend.with_identity(subject="ana")
    send(ana, BURST)
    backend.advance(days=1)
    send(ana, BURST)
    with pytest.raises(AppError):
        send(ana)


def test_each_person_has_their_own_bucket(backend: Backend) -> None:
    """Ana's messages do not count for ben."""
    ana, ben = backend.with_identity(subject="ana"), backend.with_identity(subject="ben")
    send(ana, BURST)
    send(ben, BURST)


def test_a_blank_message_is_refused_and_costs_nothing(backend: Backend) -> None:
    """What raises leaves nothing behind, the token it took neither."""
    ana = backend.with_identity(subject="ana")
    for content in ("", " ", "\n"):
        with pytest.raises(AppError) as refused:
            ana.mutation(send_message, room_id="general", content=content)
        assert refused.value.data["code"] == "INVALID"
    send(ana, BURST)
    with pytest.raises(AppError):
        send(ana)
