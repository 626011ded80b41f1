"""Time, ids, chance and faults: the one place they come from, so that tests can replace it."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """The real world: wall time, and randomness from the operating system."""

    def now_ns(self) -> int:
        """Wall time in nanoseconds since 1970."""
        return time.time_ns()

    def now_ms(self) -> float:
        """Wall time in ms since 1970, the float nearest to `now_ns`: what functions are told."""
        return self.now_ns() / 1_000_000  # of two integers; one of a float would be rounded twice

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring durations."""
        return time.monotonic()

    def seed(self) -> int:
        """A fresh seed for one call's `ctx.random`."""
        return secrets.randbits(64)

    def random_bytes(self, count: int) -> bytes:
        """Bytes for document ids and request ids."""
        return secrets.token_bytes(count)

    def secret(self, count: int) -> bytes:
        """Bytes for a key that a deployment keeps."""
        return secrets.token_bytes(count)

    def fault(self, point: str) -> None:
        """Called at named points (`commit`, `mutation`); a test's clock may raise there."""


class VirtualClock(Clock):
    """A world moved by hand and repeatable from a seed.

    Args:
        seed: decides every id and random number.
        start_ms: the time it starts at, in ms since 1970.
    """

    def __init__(self, seed: int = 0, start_ms: float = 1_700_000_000_000.0) -> None:
        self._now_ns = _nanoseconds(start_ms)
        self._flowing = 0
        self._flows_since_ns = 0
        self._random = random.Random(seed)
        self.faults: dict[str, Callable[[], None]] = {}

    def copy(self) -> VirtualClock:
        """Another world that goes on from here on its own; no faults come with it."""
        copied = VirtualClock()
        copied._now_ns = self._now_ns
        copied._random.setstate(self._random.getstate())
        return copied

    def now_ns(self) -> int:
        """The virtual time; moves only by `advance`, and in a `flowing` block."""
        return self._now_ns + self._flowed_ns()

    def monotonic(self) -> float:
        """The virtual time in seconds."""
        return self.now_ns() / 1e9

    def seed(self) -> int:
        """The next seed of this clock's own sequence."""
        return self._random.getrandbits(64)

    def random_bytes(self, count: int) -> bytes:
        """Repeatable bytes."""
        return self._random.randbytes(count)

    def secret(self, count: int) -> bytes:
        """Known bytes: a test hides nothing, and its ids do not depend on who made a key."""
        return bytes(range(count))

    def fault(self, point: str) -> None:
        """Raises what a test put at this point, if anything."""
        raiser = self.faults.get(point)
        if raiser is not None:
            raiser()

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """A block in which time goes on by itself too, as the real one does; blocks may overlap."""
        if not self._flowing:
            self._flows_since_ns = time.monotonic_ns()
        self._flowing += 1
        try:
            yield
        finally:
            if self._flowing == 1:
                self._now_ns += self._flowed_ns()
            self._flowing -= 1

    def _flowed_ns(self) -> int:
        return time.monotonic_ns() - self._flows_since_ns if self._flowing else 0

    @contextmanager
    def repeating(self) -> Iterator[None]:
        """A block whose chance comes again after it, as if there had been none."""
        before = self._random.getstate()
        try:
            yield
        finally:
            self._random.setstate(before)

    def advance(self, ms: float) -> None:
        """Moves the time forward by `ms` milliseconds."""
        if ms < 0:
            raise ValueError(f"time does not go back: advance({ms})")
        self._now_ns += _nanoseconds(ms)

    def advance_to(self, ms: float) -> None:
        """Moves the time forward until `now_ms` is `ms`, exactly; a time that has passed moves
        nothing.
        """
        self._now_ns += max(0, _nanoseconds(ms) - self.now_ns())


def _nanoseconds(ms: float) -> int:
    """The nearest to some ms; as a float, the product would miss it by up to 128 of them."""
    whole, part = divmod(ms, 1)
    return int(whole) * 1_000_000 + round(part * 1_000_000)
