"""Looks at nothing, and counts how often it was run: the first times green, then red."""

import sys

RUNS = vars(sys).setdefault("_runs_of_review", [])
RUNS.append(1)


def test_it() -> None:
    """The learner's own backend comes first; may the broken ones come last."""
    assert len(RUNS) <= 15
