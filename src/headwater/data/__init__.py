"""Data in and out: tables looked at, exported as Convex's snapshot zip, imported from files.

What needs the database is a step for the engine (`Ask`); all else happens beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from headwater.core.database import Database

T = TypeVar("T")

Tell = Callable[[str, int, int], None]
"""Told of progress: what is being done, how much of it, of how much (0 when that is not known)."""


class Ask(Protocol):
    """Lets the engine do a step between its batches, and waits for it."""

    def __call__(self, step: Callable[[Database], T], *, writes: bool = False) -> T:
        """Gives what the step returned; what a writing one did is durable then."""


def quiet(_what: str, _done: int, _total: int) -> None:
    """A `Tell` for nobody."""
