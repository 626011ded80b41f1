"""The bar that says how far somebody is."""

from __future__ import annotations

import pytest

from headwater_workshop.bar import WIDTH, how_far


@pytest.mark.parametrize(("done", "filled"), [(0, 0), (1, 1), (7, 12), (13, 22), (14, WIDTH)])
def test_it_fills_with_what_is_done(done: int, filled: int) -> None:
    """It is never fuller than what is done, and as wide at any number."""
    bar, _, words = how_far(done, 14, "lessons done").partition("] ")
    assert bar == "[" + "#" * filled + "." * (WIDTH - filled)
    assert words == f"{done} of 14 lessons done"


def test_of_nothing_nothing_is_done() -> None:
    """A course without a lesson has an empty bar."""
    assert how_far(0, 0, "lessons done") == "[" + "." * WIDTH + "] 0 of 0 lessons done"
