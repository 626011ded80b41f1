"""The hub: the engine's queue, and the way back to the network's loop."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from headwater import ActionCtx, QueryCtx, action, query
from headwater.action_loop import ActionLoop
from headwater.clock import VirtualClock
from headwater.core.calls import Call
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.placement import InProcess
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.timelimit import HardLimit
from headwater.core.work import Reload
from headwater.hub import Hub
from headwater.last_call import LastCall
from headwater.settings import Limits
from tests.headwater.core.things import app_of


@query
async def echo(ctx: QueryCtx, text: str) -> str:
    """The text."""
    return text


@action
async def act(ctx: ActionCtx) -> str:
    """What a query says, and where the action runs."""
    return await ctx.run_query(echo, text=threading.current_thread().name)


@pytest.fixture
def hub() -> Hub:
    """A hub over an empty database."""
    limits = Limits()
    placement = InProcess(app_of(echo, act), limits)
    return Hub(Engine(Database(SqliteStorage(), VirtualClock(), limits), placement))


class NoLimit(HardLimit):
    """Never ends the process, which is the tests' own."""

    def arm(self) -> None:
        """Does nothing."""

    def disarm(self) -> None:
        """Does nothing."""


def run(hub: Hub, folder: Path) -> None:
    """The engine's loop, until all that waits is done."""
    hub.stop()
    hub.run(NoLimit(60.0), LastCall(folder / "last_call"))


def test_what_waits_is_one_batch(hub: Hub, tmp_path: Path) -> None:
    """Two queries queued together are answered by one turn of the engine."""

    async def ask() -> list[str | None]:
        hub.connect(asyncio.get_running_loop())
        calls = [Call("things:echo", "query", {"text": text}) for text in "ab"]
        asked = [asyncio.ensure_future(hub.execute(call)) for call in calls]
        turn = asyncio.ensure_future(hub.next_turn())
        await asyncio.sleep(0)
        run(hub, tmp_path)
        await turn
        return [(outcome.value or b"").decode() for outcome, _ in await asyncio.gather(*asked)]

    assert asyncio.run(ask()) == ['"a"', '"b"']
    assert hub.engine.counters.batches == 1


def test_a_reload_is_a_batch_of_its_own(hub: Hub, tmp_path: Path) -> None:
    """It has a time limit of its own, and what came before it is answered first."""
    errors: list[BaseException | None] = []

    async def ask() -> None:
        hub.connect(asyncio.get_running_loop())
        asked = asyncio.ensure_future(hub.execute(Call("things:echo", "query", {"text": "a"})))
        await asyncio.sleep(0)
        hub.put(Reload(lambda: InProcess(app_of(echo), Limits()), errors.append))
        run(hub, tmp_path)
        await asked
        await asyncio.sleep(0)

    asyncio.run(ask())
    assert errors == [None]
    assert hub.engine.counters.batches == 3, "the last one is empty: the end"


def test_actions_run_on_a_thread_of_their_own(hub: Hub) -> None:
    """So that one that blocks holds up no client."""

    def answer(work: object) -> None:
        for output in hub.engine.process([work]):  # type: ignore[list-item]
            output.send()

    actions = ActionLoop(hub.engine, answer)
    outcome = asyncio.run(actions.run(Call("things:act", "action", {})))
    assert outcome.value == b'"actions"'
