"""The sync socket between a network and an engine that are not equally fast."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.auth import Auth
from headwater.clock import Clock, VirtualClock
from headwater.core.calls import Call
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.placement import InProcess
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.timelimit import HardLimit
from headwater.core.work import Execute
from headwater.hub import Hub
from headwater.last_call import LastCall
from headwater.loader import load
from headwater.settings import Limits
from headwater.sync_socket import SyncSocket
from tests.scenarios.server_process import APPS, wait_for

NPM = (1, 48, 0)
COMMITS = 5


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """An engine that runs on a thread of its own."""
    limits = Limits()
    database = Database(SqliteStorage(), Clock(), limits)
    made = Hub(Engine(database, InProcess(load(APPS / "basic"), limits)))
    limit = HardLimit(limits.hard_limit_s)
    engine = threading.Thread(target=made.run, args=(limit, LastCall(tmp_path / "last_call")))
    engine.start()
    try:
        yield made
    finally:
        made.stop()
        engine.join()
        database.storage.close()


class Wire:
    """A client's end: what it says is read in turn, what it is told is kept."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said.put_nowait({"type": "websocket.connect"})
        self._heard = asyncio.Event()

    def say(self, kind: str, **members: Any) -> None:
        """Sends a message."""
        text = json.dumps({"type": kind, **members})
        self._said.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        """Disconnects."""
        self._said.put_nowait({"type": "websocket.disconnect"})

    async def receive(self) -> Any:
        """What the socket reads."""
        return await self._said.get()

    async def send(self, message: Any) -> None:
        """What the socket sends; there is always room."""
        if message["type"] == "websocket.send":
            self.told.append(json.loads(message["text"]))
            self._heard.set()

    async def until(self, value: Any) -> None:
        """Waits until a transition has brought a value."""
        async with asyncio.timeout(10):
            while not any(value in values(message) for message in self.told):
                self._heard.clear()
                await self._heard.wait()


def values(message: dict[str, Any]) -> list[Any]:
    """The results a transition brings."""
    return [change.get("value") for change in message.get("modifications", ())]


def increment() -> Execute:
    """A mutation by somebody else."""
    call = Call("counters:increment", "mutation", {"name": "shared"})
    return Execute(call, lambda _outcome, _ts: None)


def test_a_token_is_good_until_it_expires(hub: Hub, tmp_path: Path) -> None:
    """Then its session ends by an AuthError that is no answer to an Authenticate."""

    async def story() -> None:
        hub.connect(asyncio.get_running_loop())
        wire = Wire()
        almost = VirtualClock(1_700_000_000_900_000_000)  # a tenth before the second it ends at
        auth = Auth(tmp_path, almost)
        running = asyncio.create_task(
            SyncSocket(hub, auth, Limits(), NPM).run(wire.receive, wire.send)
        )
        wire.say("Connect", sessionId="0123456789")
        for number, lifetime_s in enumerate((600, 1)):
            token = auth.token("ana", lifetime_s)
            wire.say("Authenticate", baseVersion=number, tokenType="User", value=token)
        async with asyncio.timeout(10):
            await running
        refusals = [message for message in wire.told if message["type"] == "AuthError"]
        assert refusals == [
            {
                "type": "AuthError",
                "error": "The token has expired. Sign in again.",
                "baseVersion": 2,
                "authUpdateAttempted": False,
            }
        ]

    asyncio.run(story())


def test_an_engine_ahead_of_the_network_withholds_nothing(hub: Hub, tmp_path: Path) -> None:
    """Commits made while the network is busy reach a client that has room for all of them."""

    async def story() -> None:
        hub.connect(asyncio.get_running_loop())
        wire = Wire()
        socket = SyncSocket(hub, Auth(tmp_path, Clock()), Limits(), NPM)
        running = asyncio.create_task(socket.run(wire.receive, wire.send))
        wire.say("Connect", sessionId="0123456789")
        query = {"type": "Add", "queryId": 0, "udfPath": "counters:read"}
        wire.say(
            "ModifyQuerySet",
            baseVersion=0,
            newVersion=1,
            modifications=[{**query, "args": [{"name": "shared"}]}],
        )
        await wire.until(0)
        for number in range(COMMITS):
            commits = hub.engine.counters.commits
            hub.put(increment())
            # The network's thread does nothing else meanwhile.
            wait_for(lambda: hub.engine.counters.commits > commits, f"commit {number}")  # noqa: B023
        await wire.until(COMMITS)
        wire.leave()
        await running

    asyncio.run(story())
