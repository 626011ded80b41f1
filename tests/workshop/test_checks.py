"""How lesson checks are written and read."""

from __future__ import annotations

import pytest

from headwater_workshop.checks import load_checks

SOURCE = """
from headwater_workshop.checks import Lab, check

@check(objective="L9.1", title="Second by name, first in the file")
def b_first(lab: Lab) -> None: ...

@check(objective="L9.2", title="Needs it", needs=("b_first",))
def a_second(lab: Lab) -> None: ...
"""


def test_checks_are_read_in_the_order_they_are_written() -> None:
    """Name, objective, title and needs are those of the file."""
    first, second = load_checks(SOURCE, "09-x")
    assert (first.name, first.objective, second.needs) == ("b_first", "L9.1", ("b_first",))


def test_a_need_that_does_not_stand_before_it_is_refused() -> None:
    """A check can only need one that has been run by then."""
    with pytest.raises(ValueError, match="check a_second needs c, not seen before it"):
        load_checks(SOURCE.replace('needs=("b_first",)', 'needs=("c",)'), "09-x")
