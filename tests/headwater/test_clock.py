"""The clock: time, ids, chance and faults from one place."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.clock import Clock, VirtualClock


def test_a_virtual_clock_moves_by_hand() -> None:
    """And not otherwise, and never back."""
    clock = VirtualClock(start_ms=1000.0)
    assert (clock.now_ns(), clock.monotonic()) == (1_000_000_000, 1.0)
    clock.advance(0.5)
    assert clock.now_ns() == 1_000_500_000
    with pytest.raises(ValueError, match="time does not go back"):
        clock.advance(-1)


@example(604_800_000_000_000, 1, 2.0)
@given(st.integers(0, 10**15), st.integers(0, 10**9), st.floats(0, 1e10))
def test_a_virtual_clock_is_moved_to_a_time_exactly(
    began_ns: int, flowed_ns: int, ahead_ms: float
) -> None:
    """Whatever the nanoseconds it stood at: what is due at that time meets it. Never back."""
    clock = VirtualClock(start_ms=1_700_000_000_000.0)
    clock.advance(began_ns / 1e6)
    clock.advance(flowed_ns / 1e6)
    due_ms = clock.now_ms() + ahead_ms
    clock.advance_to(due_ms)
    assert clock.now_ms() == due_ms
    clock.advance_to(due_ms - 1)
    assert clock.now_ms() == due_ms


def test_a_virtual_clock_is_repeatable() -> None:
    """Ids and chance follow from its seed."""
    one, same, other = VirtualClock(1), VirtualClock(1), VirtualClock(2)
    drawn = [(c.seed(), c.random_bytes(4), c.seed()) for c in (one, same, other)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_virtual_clock_may_flow_for_a_while() -> None:
    """In a block the time goes on by itself, can be moved too, and stands still after the last."""
    clock = VirtualClock()
    began = clock.now_ns()
    with clock.flowing(), clock.flowing():
        clock.advance(1000)
        while clock.now_ns() < began + 1_001_000_000:
            continue
    ended = clock.now_ns()
    assert ended >= began + 1_001_000_000
    assert clock.now_ns() == ended
    clock.advance(1)
    assert clock.now_ns() == ended + 1_000_000


def test_a_fault_is_raised_where_it_was_put() -> None:
    """Nowhere else, and only while it is there."""

    def fail() -> None:
        raise OSError("the disk is gone")

    clock = VirtualClock()
    clock.faults["commit"] = fail
    clock.fault("send")
    with pytest.raises(OSError, match="the disk is gone"):
        clock.fault("commit")
    clock.faults.clear()
    clock.fault("commit")


def test_the_real_clock_is_the_machine_s() -> None:
    """Time goes on, chance differs, and it has no faults."""
    clock = Clock()
    assert clock.now_ns() > 1_600_000_000 * 10**9
    assert clock.monotonic() <= clock.monotonic()
    assert clock.seed() != clock.seed()
    assert len(clock.random_bytes(14)) == 14
    clock.fault("commit")
