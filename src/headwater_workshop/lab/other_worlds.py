"""A learner's backend in three other worlds, started when the first check asks for them."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Final

from headwater.pipe import Process
from headwater.worker_placement import WorkerPlacement
from headwater.worlds import World

_DAY_S: Final = 86_400.0
_HASH_SEEDS: Final = (1, 2, 3)
"""The same for all seeds, so that processes of these worlds can be started warm."""

Start = Callable[[World], Process]
Make = Callable[[World, Callable[[], Process]], WorkerPlacement]


def three_worlds(chance: random.Random) -> list[World]:
    """One of now, one of some months before and one of some months later."""
    shifts_s = (0.0, -_DAY_S * chance.uniform(40, 90), _DAY_S * chance.uniform(100, 200))
    return [
        World(shift_s, chance.getrandbits(32), hash_seed)
        for shift_s, hash_seed in zip(shifts_s, _HASH_SEEDS, strict=True)
    ]


class OtherWorlds:
    """Worker processes of one grading that differ in their worlds and in nothing else.

    Args:
        start: starts a process for a world.
        make: makes a placement in a world whose processes the given function starts.
        seed: decides the worlds.
    """

    def __init__(self, start: Start, make: Make, seed: int) -> None:
        self._start, self._make = start, make
        self._wanted = three_worlds(random.Random(seed))
        self._made: list[WorkerPlacement] = []

    def __call__(self) -> list[WorkerPlacement]:
        """The three, the same for all checks.

        Raises:
            BackendLoadError, WorkerFailed: the backend does not load there.
        """
        if not self._made:
            started = {world: self._start(world) for world in self._wanted}  # side by side

            def next_of(world: World) -> Process:
                return started.pop(world, None) or self._start(world)

            for world in self._wanted:
                self._made.append(self._make(world, partial(next_of, world)))
        return self._made

    def close(self) -> None:
        """Ends them."""
        for made in self._made:
            made.close()
