"""The engine's loop: what it takes as one batch, and under which limit."""

from dataclasses import replace
from pathlib import Path

import pytest

from headwater.clock import Clock
from headwater.core.calls import Call
from headwater.core.counters import EngineCounters
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.placement import InProcess
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.timelimit import HardLimit
from headwater.core.work import Execute, Reload, Work
from headwater.hub import Hub
from headwater.last_call import LastCall
from headwater.loader import load
from headwater.settings import Limits
from tests.scenarios.server_process import APPS


class Noted(HardLimit):
    """A limit that ends nothing, and says whether it would."""

    armed = False

    def arm(self) -> None:
        """Begins to count."""
        self.armed = True

    def disarm(self) -> None:
        """Stops."""
        self.armed = False


class Loop:
    """An engine's loop, run to its end by the test."""

    def __init__(self, folder: Path, batch_s: float) -> None:
        bounds = replace(Limits(), batch_s=batch_s)
        self.placement = InProcess(load(APPS / "basic"), bounds)
        self.limit = Noted(1.0)
        self.hub = Hub(Engine(Database(SqliteStorage(), Clock(), bounds), self.placement))
        self._last_call = LastCall(folder / "last_call")

    def run(self, *works: Work) -> EngineCounters:
        """Takes all of this, and ends; gives what the engine did."""
        for work in works:
            self.hub.put(work)
        self.hub.stop()
        self.hub.run(self.limit, self._last_call)
        self.hub.engine.database.storage.close()
        return self.hub.engine.counters


def increment() -> Execute:
    """A mutation nobody waits for."""
    call = Call("counters:increment", "mutation", {"name": "x"})
    return Execute(call, lambda _outcome, _ts: None)


@pytest.mark.parametrize(("batch_s", "commits"), [(60.0, 1), (1e-9, 3)])
def test_a_batch_is_what_waits_for_as_long_as_it_may_take(
    tmp_path: Path, batch_s: float, commits: int
) -> None:
    """One commit for all, unless they are slow: then whoever is done is answered meanwhile."""
    counters = Loop(tmp_path, batch_s=batch_s).run(increment(), increment(), increment())
    assert (counters.mutations, counters.commits) == (3, commits)


def test_a_reload_is_a_batch_and_under_no_limit_of_a_call(tmp_path: Path) -> None:
    """An import may take longer than any handler, also right after one."""
    loop = Loop(tmp_path, batch_s=60.0)
    seen: list[tuple[bool, int]] = []

    def note(*_: object) -> None:
        seen.append((loop.limit.armed, loop.hub.engine.counters.batches))

    def reload() -> InProcess:
        note()
        return loop.placement

    loop.hub.engine.on_call = note
    loop.run(increment(), Reload(reload, note), increment())
    assert seen == [(True, 1), (False, 2), (True, 3)]
