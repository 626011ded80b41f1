"""Names: snake_case in Python, camelCase on the wire, one for one."""

from __future__ import annotations

import pytest

from headwater.core.names import checked_wire_names, python_name, wire_name
from headwater.errors import RegistrationError


@pytest.mark.parametrize(
    ("python", "wire"),
    [("title", "title"), ("project_id", "projectId"), ("a_b_c", "aBC"), ("x2", "x2")],
)
def test_names_go_there_and_back(python: str, wire: str) -> None:
    """Each name has one spelling on either side."""
    assert wire_name(python) == wire
    assert python_name(wire) == python


def test_system_names_keep_their_underscore() -> None:
    """`_id` is `_id` on the wire."""
    assert wire_name("_id") == "_id"


@pytest.mark.parametrize("name", ["a__b", "is_2fa", "aB", "a_"])
def test_a_name_that_would_not_come_back_is_refused(name: str) -> None:
    """The error shows what would become of it."""
    with pytest.raises(RegistrationError, match="on the way back; use plain"):
        checked_wire_names([name], "backend.tasks")


def test_two_names_that_meet_on_the_wire_are_refused() -> None:
    """The error names both."""
    with pytest.raises(RegistrationError, match=r"`a_b` and `aB` are both `aB`"):
        checked_wire_names(["a_b", "aB"], "backend.tasks")


def test_the_map_is_from_python_to_wire() -> None:
    """In the order given."""
    assert list(checked_wire_names(["b_c", "a"], "here").items()) == [("b_c", "bC"), ("a", "a")]
