"""Ranges: what a query may ask of an index, and how it is told otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from headwater import UNSET
from headwater.core.manifest import BY_CREATION_TIME, IndexSpec
from headwater.core.ranges import fingerprint, index_of, interval
from headwater.core.requests import Bound, Range
from headwater.errors import QueryInvalid
from tests.headwater.core.stores import TASKS

BY_RANK = IndexSpec("by_rank", ("rank", "title"))


def wanted(*equal: tuple[str, Any], **bounds: Any) -> Range:
    """A range of tasks by rank."""
    return Range("tasks", "by_rank", list(equal), **bounds)


def test_a_range_lies_within_its_prefix() -> None:
    """Every further field narrows it."""
    whole = interval(wanted(), BY_RANK, 7)
    one = interval(wanted(("rank", 1.0)), BY_RANK, 7)
    both = interval(wanted(("rank", 1.0), ("title", "a")), BY_RANK, 7)
    assert whole[0] < one[0] < both[0] < both[1] <= one[1] < whole[1]


def test_bounds_are_open_or_closed() -> None:
    """gt 1 begins where gte 1 has ended; lte 1 ends where lt 1 and the value itself end."""
    closed = interval(wanted(lower=Bound("rank", 1.0, True)), BY_RANK, 7)
    opened = interval(wanted(lower=Bound("rank", 1.0, False)), BY_RANK, 7)
    below = interval(wanted(upper=Bound("rank", 1.0, False)), BY_RANK, 7)
    up_to = interval(wanted(upper=Bound("rank", 1.0, True)), BY_RANK, 7)
    assert (below[1], up_to[1]) == (closed[0], opened[0])


def test_absent_is_a_value_to_ask_for() -> None:
    """A field that is not there has a key of its own."""
    absent = interval(wanted(("rank", UNSET)), BY_RANK, 7)
    null = interval(wanted(("rank", None)), BY_RANK, 7)
    assert absent[1] <= null[0]


@pytest.mark.parametrize(
    ("range_", "message"),
    [
        (wanted(("title", "a")), "equal fields come first in that order.*Given: title"),
        (wanted(("rnk", 1.0)), "has no field `rnk`. Did you mean `rank`"),
        (
            wanted(lower=Bound("title", "a", True)),
            r"then one range on the next field.*title \(range\)",
        ),
        (
            wanted(lower=Bound("rank", 1.0, True), upper=Bound("title", "a", True)),
            "equal fields come first",
        ),
        (
            wanted(
                ("rank", 1.0),
                ("title", "a"),
                ("_creationTime", 1.0),
                lower=Bound("rank", 1.0, True),
            ),
            "equal fields come first",
        ),
    ],
)
def test_a_range_out_of_order_is_refused(range_: Range, message: str) -> None:
    """HW401 names the index, its order in Python names, and what was given."""
    with pytest.raises(QueryInvalid, match=message) as error:
        interval(range_, BY_RANK, 7)
    assert error.value.rule == "HW401"
    assert "rank, title, creation_time" in str(error.value)


def test_an_unknown_index_is_refused_with_the_nearest() -> None:
    """And all there are, the built-in one too."""
    with pytest.raises(QueryInvalid, match="Did you mean `by_rank`") as error:
        index_of(Range("tasks", "by_rnk"), TASKS)
    assert "Indexes: by_title, by_rank, by_creation_time" in str(error.value)
    assert index_of(Range("tasks"), TASKS) is BY_CREATION_TIME


def test_a_fingerprint_tells_queries_apart() -> None:
    """By table, index, values, bounds and order; 1 and "1" differ, and -0 and 0."""
    several = [
        wanted(),
        wanted(("rank", 1.0)),
        wanted(("rank", "1")),
        wanted(("rank", 0.0)),
        wanted(("rank", -0.0)),
        wanted(descending=True),
        wanted(lower=Bound("rank", 1.0, True)),
        wanted(lower=Bound("rank", 1.0, False)),
        wanted(upper=Bound("rank", 1.0, True)),
        Range("tasks"),
        Range("users", "by_rank"),
    ]
    assert len({fingerprint(range_) for range_ in several}) == len(several)
