"""A program written another way does the same, and cannot be recognised."""

from __future__ import annotations

import random

import pytest

from headwater_workshop.lab.rewriting import rewritten

PROGRAM = '''
def total(values, by=1):
    """What they come to."""
    found = 0
    for value in values:
        if value > 0:
            found += helper(value, by=by)
    return [found * each for each in range(3)]


def helper(value, *, by):
    try:
        result = value * by
        return result
    except TypeError as error:
        raise ValueError(str(error)) from error
'''


@pytest.mark.parametrize("seed", range(20))
def test_it_does_the_same(seed: int) -> None:
    """Arguments keep their names, docstrings their place, and errors their cause."""
    names: dict[str, object] = {}
    exec(rewritten(PROGRAM, random.Random(seed)), names)
    total = names["total"]
    assert callable(total)
    assert total([1, -5, 2], by=10) == [0, 30, 60]
    assert total.__doc__ == "What they come to."
    with pytest.raises(ValueError, match="unsupported operand"):
        total([1], by=None)


def test_it_is_written_another_way_each_time() -> None:
    """Twenty times, twenty texts; the names of its locals are in none."""
    texts = {rewritten(PROGRAM, random.Random(seed)) for seed in range(20)}
    assert len(texts) == 20
    assert not any("found" in each or "result" in each for each in texts)
