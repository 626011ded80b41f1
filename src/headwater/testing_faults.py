"""Faults on purpose: what a test lets happen to mutations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from headwater.clock import VirtualClock
from headwater.errors import Conflict, Overloaded, StorageFailure


@dataclass
class Fault:
    """A fault that is on.

    Attributes:
        struck: how often it has happened.
    """

    error: Conflict | Overloaded | StorageFailure
    times: int | None = None
    struck: int = 0

    @property
    def point(self) -> str:
        """Where it happens: a lost disk when a batch is kept, all else when a mutation has run."""
        return "commit" if isinstance(self.error, StorageFailure) else "mutation"

    def __call__(self) -> None:
        """Happens, unless it has happened often enough."""
        if self.times is None or self.struck < self.times:
            self.struck += 1
            raise self.error


@contextmanager
def failing(clock: VirtualClock, fault: Fault) -> Iterator[Fault]:
    """Has a fault happen for a while.

    Raises:
        TypeError: an error that the engine does not raise by itself.
        ValueError: `times` is below 1.
    """
    if not isinstance(fault.error, Conflict | Overloaded | StorageFailure):
        raise TypeError(
            f"the engine fails by Conflict, Overloaded or StorageFailure, not {fault.error!r}; "
            "raise errors of your own in the function"
        )
    if fault.times is not None and fault.times < 1:
        raise ValueError(f"times is 1 or more, not {fault.times}")
    before = clock.faults.get(fault.point)
    clock.faults[fault.point] = fault
    try:
        yield fault
    finally:
        del clock.faults[fault.point]
        if before is not None:
            clock.faults[fault.point] = before
