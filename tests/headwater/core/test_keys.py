"""Keys: examples of the order that tests/model proves in general."""

from __future__ import annotations

import math
from typing import Any

import pytest

from headwater import UNSET, Int64
from headwater.core.keys import (
    document_key,
    encode_key,
    entry_key,
    field_value,
    index_prefix,
    successor,
)

IN_ORDER: list[Any] = [
    UNSET,
    None,
    Int64(-1),
    Int64(0),
    -math.inf,
    -1.0,
    -0.0,
    0.0,
    1.0,
    math.inf,
    math.nan,
    False,
    True,
    "",
    "a",
    "a\x00",
    "a\x00b",
    "ab",
    "\uffff",
    "\U0001f600",
    b"",
    b"\x00",
    b"\xff",
    [],
    ["a"],
    ["a", "a"],
    ["b"],
    {},
    {"a": 1.0},
    {"a": 1.0, "b": 1.0},
    {"a": 2.0},
]


def test_keys_are_in_the_order_of_their_values() -> None:
    """undefined < null < int64 < float64 < bool < string < bytes < array < object."""
    keys = [encode_key(value) for value in IN_ORDER]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_an_entry_ends_with_creation_time_and_id() -> None:
    """Documents that are equal in an index's fields come in the order they were made."""
    old = {"_id": "z", "_creationTime": 1.0, "title": "a"}
    new = {"_id": "a", "_creationTime": 2.0, "title": "a"}
    assert entry_key(7, ["title"], old) < entry_key(7, ["title"], new)
    assert entry_key(7, ["title"], {**new, "_creationTime": 1.0}) < entry_key(7, ["title"], old)


def test_every_entry_of_an_index_is_below_its_prefix() -> None:
    """No index reaches into the next, whatever is in it."""
    document = {"_id": "a", "_creationTime": math.inf, "title": {"z": 1.0}}
    assert index_prefix(7) < entry_key(7, ["title"], document) < successor(index_prefix(7))
    assert successor(index_prefix(7)) == index_prefix(8)


def test_documents_and_entries_do_not_meet() -> None:
    """The place of a document in a read set is no index key."""
    assert document_key("abc") < index_prefix(0)


@pytest.mark.parametrize(
    ("path", "value"), [("a.b", 1.0), ("a.c", UNSET), ("a.b.c", UNSET), ("x", UNSET)]
)
def test_fields_are_found_by_dotted_paths(path: str, value: Any) -> None:
    """A path that leads nowhere is absent, not an error."""
    assert field_value({"a": {"b": 1.0}}, path) == value


def test_nothing_follows_all_ones() -> None:
    """A key of ones has no successor; none of ours is one."""
    with pytest.raises(ValueError, match="no key follows"):
        successor(b"\xff\xff")
