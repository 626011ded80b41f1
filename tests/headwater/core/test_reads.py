"""Read sets and the one overlap test."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headwater.core.reads import Interval, IntervalIndex, ReadSet, point

KEYS = st.binary(max_size=2)
INTERVALS = st.tuples(KEYS, KEYS).filter(lambda pair: pair[0] < pair[1])


def test_a_point_holds_one_key() -> None:
    """Neither what comes before nor what it is the beginning of."""
    read = ReadSet([point(b"b")])
    assert read.overlaps([b"b"])
    assert not read.overlaps([b"a", b"b\x00", b"c"])


def test_an_interval_holds_its_start_and_not_its_end() -> None:
    """Intervals are half open, and empty ones are not kept."""
    read = ReadSet()
    read.add(b"b", b"d")
    read.add(b"x", b"x")
    assert read.intervals == {(b"b", b"d")}
    assert read.overlaps([b"b"])
    assert not read.overlaps([b"d"])


@given(
    st.lists(st.tuples(st.one_of(INTERVALS, KEYS.map(point)), st.integers(0, 3)), max_size=40),
    st.lists(st.integers(0, 39), max_size=20),
    st.lists(KEYS, max_size=5),
)
def test_the_index_finds_whom_a_linear_search_finds(
    reads: list[tuple[Interval, int]], gone: list[int], keys: list[bytes]
) -> None:
    """Whatever was added and taken away, in whatever order."""
    index: IntervalIndex[int] = IntervalIndex()
    kept = dict.fromkeys(reads)
    for interval, owner in kept:
        index.add(interval, owner)
    for one in {reads[at] for at in gone if at < len(reads)}:
        index.remove(*one)
        del kept[one]
    readers = {owner for (start, end), owner in kept for key in keys if start <= key < end}
    assert index.readers(keys) == readers
    assert len(index) == len({interval for interval, _ in kept})


def test_the_index_stays_flat() -> None:
    """10,000 nested intervals, each found at a depth the recursion bears."""
    index: IntervalIndex[int] = IntervalIndex()
    for number in range(10_000):
        index.add((number.to_bytes(4, "big"), b"\xff" * 4), number)
    assert index.readers([(1).to_bytes(4, "big")]) == {0, 1}
    for number in range(10_000):
        index.remove((number.to_bytes(4, "big"), b"\xff" * 4), number)
    assert len(index) == 0
