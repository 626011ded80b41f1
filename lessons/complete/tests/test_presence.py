"""What presence promises, with a clock moved by hand."""

from headwater.testing import Backend

from backend.presence import GONE_AFTER_MS, get_present, heartbeat, leave
from tests.people import refused


def test_who_is_heard_of_is_there(backend: Backend) -> None:
    """Everyone in the room sees everyone in it, by name."""
    ana = backend.with_identity(subject="ana", name="Ana")
    ben = backend.with_identity(subject="ben")
    ana.mutation(heartbeat, room_id="general")
    ben.mutation(heartbeat, room_id="general")
    assert ana.query(get_present, room_id="general") == ["Ana", "ben"]


def test_silence_for_15_seconds_ends_it(backend: Backend) -> None:
    """Nobody has to ask: whoever watches is pushed the shorter list."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(heartbeat, room_id="general")
    watched = ana.subscribe(get_present, room_id="general")
    backend.advance(ms=GONE_AFTER_MS - 1)
    assert watched.value == ["ana"]
    backend.advance(ms=1)
    assert watched.value == []
    watched.close()


def test_each_heartbeat_lasts_anew(backend: Backend) -> None:
    """Who is heard of every five seconds stays, in one document."""
    ana = backend.with_identity(subject="ana")
    for _ in range(6):
        ana.mutation(heartbeat, room_id="general")
        backend.advance(seconds=5)
    assert ana.query(get_present, room_id="general") == ["ana"]


def test_a_heart_that_races_writes_once_a_second(backend: Backend) -> None:
    """A page with a mistake in it must not keep the server busy."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(heartbeat, room_id="general")
    watched = ana.subscribe(get_present, room_id="general")
    ana.mutation(heartbeat, room_id="general")
    assert watched.runs == 1
    watched.close()


def test_who_leaves_is_gone_at_once(backend: Backend) -> None:
    """And leaving twice is no error."""
    ana = backend.with_identity(subject="ana")
    ana.mutation(heartbeat, room_id="general")
    ana.mutation(leave, room_id="general")
    ana.mutation(leave, room_id="general")
    assert ana.query(get_present, room_id="general") == []


def test_a_room_of_others_is_closed(backend: Backend) -> None:
    """Neither to be seen in, nor to see who is in it."""
    ana = backend.with_identity(subject="ana")
    with refused("NOT_FOUND"):
        ana.mutation(heartbeat, room_id="elsewhere")
    with refused("NOT_FOUND"):
        ana.query(get_present, room_id="elsewhere")
