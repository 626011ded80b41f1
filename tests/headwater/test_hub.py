"""The engine's loop: what it takes as one batch, and under which limit."""

from pathlib import Path

from headwater.clock import Clock
from headwater.core.calls import Call
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.placement import InProcess
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.timelimit import HardLimit
from headwater.core.work import Execute, Reload
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


def test_a_reload_is_not_under_the_limit_of_a_call(tmp_path: Path) -> None:
    """An import may take longer than any handler, also right after one."""
    limits, limit = Limits(), Noted(1.0)
    placement = InProcess(load(APPS / "basic"), limits)
    database = Database(SqliteStorage(), Clock(), limits)
    hub = Hub(Engine(database, placement))
    seen: list[bool] = []

    def reload() -> InProcess:
        seen.append(limit.armed)
        return placement

    def note(*_: object) -> None:
        seen.append(limit.armed)

    call = Call("counters:increment", "mutation", {"name": "x"})
    hub.engine.on_call = note
    hub.put(Execute(call, note))
    hub.put(Reload(reload, note))
    hub.stop()
    hub.run(limit, LastCall(tmp_path / "last_call"))
    database.storage.close()
    assert seen == [True, False]
