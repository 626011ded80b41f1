"""Documents as they are stored."""

from __future__ import annotations

from headwater.core.documents import Stored

VALUE = {"_id": "x", "_creationTime": 1.0, "tags": ["a"]}


def test_a_version_is_encoded_once() -> None:
    """From its value, with sorted keys."""
    stored = Stored.of("tasks", dict(VALUE))
    assert stored.body == b'{"_creationTime":1.0,"_id":"x","tags":["a"]}'
    assert (stored.id, stored.table) == ("x", "tasks")


def test_a_version_is_decoded_when_somebody_looks() -> None:
    """And only once."""
    stored = Stored("x", "tasks", Stored.of("tasks", dict(VALUE)).body)
    assert stored.value == VALUE
    assert stored.value is stored.value


def test_fields_are_what_the_application_wrote() -> None:
    """Without the system's own."""
    assert Stored.of("tasks", dict(VALUE)).fields == {"tags": ["a"]}


def test_an_own_value_may_be_changed() -> None:
    """The version itself is never changed."""
    stored = Stored.of("tasks", dict(VALUE))
    stored.own_value()["tags"].append("b")
    assert stored.value["tags"] == ["a"]


def test_the_size_follows_convex() -> None:
    """System fields count; 2 for the object, names and values after it."""
    assert Stored.of("tasks", dict(VALUE)).size == 2 + (4 + 3) + (14 + 9) + (5 + 5)
