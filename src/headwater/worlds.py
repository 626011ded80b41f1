"""Another world for a worker: another wall clock, other chance, another order of sets.

A query or mutation must come to the same in any of them, for all that it may use of time and chance
is in its ctx. Put on before a backend is imported; a net for honest code, nothing more: a process
that looks elsewhere for the time sees that of the machine, which goes on meanwhile too.
"""

from __future__ import annotations

import datetime
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_NAMES_OF_NOW = ("localtime", "gmtime", "ctime")


@dataclass(frozen=True)
class World:
    """Where a worker lives.

    Attributes:
        shift_s: what its wall clock is ahead of the machine's.
        seed: of the `random` module.
        hash_seed: what PYTHONHASHSEED has to be when its process starts.
    """

    shift_s: float = 0.0
    seed: int = 0
    hash_seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """What the process is told once it runs."""
        return {"shift": self.shift_s, "seed": self.seed}

    @property
    def environment(self) -> dict[str, str]:
        """What the process has to be started with."""
        return {"PYTHONHASHSEED": str(self.hash_seed)}


def enter(told: dict[str, Any]) -> None:
    """Puts this process into the world it was told of; for good."""
    random.seed(int(told["seed"]))
    shift_s = float(told["shift"])
    real: Callable[[], float] = time.time
    real_ns: Callable[[], int] = time.time_ns
    _shift_time(lambda: real() + shift_s, lambda: real_ns() + int(shift_s * 1e9))
    _shift_dates(lambda: real() + shift_s)


def _shift_time(now: Callable[[], float], now_ns: Callable[[], int]) -> None:
    for name in _NAMES_OF_NOW:
        setattr(time, name, _at(getattr(time, name), now))
    strftime, localtime = time.strftime, time.localtime

    def strftime_now(text: str, moment: Any = None) -> str:
        return strftime(text, localtime() if moment is None else moment)

    time.strftime, time.time, time.time_ns = strftime_now, now, now_ns


def _at(function: Callable[..., Any], now: Callable[[], float]) -> Callable[..., Any]:
    return lambda seconds=None: function(now() if seconds is None else seconds)


def _shift_dates(now: Callable[[], float]) -> None:
    """Classes that make the real ones' objects, and only know another time."""
    real_date, real_datetime = datetime.date, datetime.datetime

    class Dates(type):
        real: type = real_date

        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, cls.real)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, cls.real)

    class Date(datetime.date, metaclass=Dates):
        real = real_date

        def __new__(cls, *args: Any, **fields: Any) -> Any:
            return real_date(*args, **fields)

        @classmethod
        def today(cls) -> Any:
            return real_date.fromtimestamp(now())

    class Moment(datetime.datetime, metaclass=Dates):
        real = real_datetime

        def __new__(cls, *args: Any, **fields: Any) -> Any:
            return real_datetime(*args, **fields)

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real_datetime.fromtimestamp(now(), tz)

        @classmethod
        def today(cls) -> Any:
            return real_datetime.fromtimestamp(now())

        @classmethod
        def utcnow(cls) -> Any:
            return real_datetime.fromtimestamp(now(), datetime.UTC).replace(tzinfo=None)

    datetime.date, datetime.datetime = Date, Moment  # type: ignore[misc]
