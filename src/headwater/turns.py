"""Turns: steps of several actions wait for each other, and chance says which is next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Final

_PAUSE_S: Final = 0.002, 0.006
"""How long a step waits for others, at least and at most."""


class Turns:
    """Takes steps on an event loop, and runs each after a pause: one of those that wait then.

    Args:
        order: chance.
    """

    def __init__(self, order: Random) -> None:
        self._order = order
        self._waiting: list[Callable[[], None]] = []

    def wait(self, step: Callable[[], None]) -> None:
        """Puts a step among those that wait; there is a turn for it, or for another, soon."""
        self._waiting.append(step)
        pause_s = self._order.uniform(*_PAUSE_S)
        asyncio.get_running_loop().call_later(pause_s, self._next)

    def _next(self) -> None:
        number = self._order.randrange(len(self._waiting))
        self._waiting.pop(number)()
