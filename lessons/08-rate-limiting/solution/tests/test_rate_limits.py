"""What the limit on messages promises, with a clock moved by hand."""

import pytest
from headwater.errors import AppError, HeadwaterError
from headwater.testing import Backend, Caller

from backend.messages import BURST, REFILL_MS, send_message


def send(person: Caller, count: int = 1) -> None:
    """Send some messages to the same room."""
    for _ in range(count):
        person.mutation(send_message, room_id="general", content="Hello")


def test_a_token_grows_in_its_time(backend: Backend) -> None:
    """The sixth is told when to come back; a millisecond earlier is too early."""
    ana = backend.with_identity(subject="ana")
    send(ana, BURST)
    with pytest.raises(AppError) as refused:
        send(ana)
    assert refused.value.data == {"code": "RATE_LIMITED", "retry_after_ms": REFILL_MS}
    backend.advance(ms=REFILL_MS - 1)
    with pytest.raises(AppError):
        send(ana)
    backend.advance(ms=1)
    send(ana)


def test_a_refused_message_gives_its_token_back(backend: Backend) -> None:
    """What raises leaves nothing behind, so an empty message costs nothing."""
    ana = backend.with_identity(subject="ana")
    for _ in range(BURST):
        with pytest.raises(HeadwaterError):
            ana.mutation(send_message, room_id="general", content=" ")
    send(ana, BURST)
