"""Values in checks: compared by type too, shown without their content where that is long."""

from __future__ import annotations

from typing import Any

import pytest

from headwater_workshop.lab.values import Absent, describe, differs, listed


@pytest.mark.parametrize(
    ("one", "other"), [(1.0, True), (1.0, "1"), ({"a": 1.0}, {"a": True}), ([1.0], []), (None, {})]
)
def test_what_only_looks_equal_differs(one: Any, other: Any) -> None:
    """Python's own comparison would take some of these for equal."""
    assert differs(one, other)
    assert not differs(one, one)


def test_values_are_described_without_giving_them_away() -> None:
    """Long ones by their kind; lists by their length."""
    assert [describe(value) for value in (Absent(), None, True, [1, 2])] == [
        "absent", "null", "true", "a list of 2",
    ]  # fmt: skip
    assert (describe("x"), describe("x" * 200), describe({})) == ("'x'", "a text", "an object")
    assert listed({"title": "secret", "done": True}) == "title, done"
