"""The sync socket's limits, each at its edge, over a network that a test is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from headwater.core.work import Work
from headwater.hub import Hub
from headwater.server import _Network
from headwater.supervisor import listen
from headwater.sync_socket import SyncSocket
from tests.headwater.served import Served

MODIFY = {"type": "ModifyQuerySet", "modifications": []}


class Held(Hub):
    """A hub that keeps what is put until the test lets it through."""

    def __init__(self, served: Served) -> None:
        super().__init__(served.hub.engine)
        self.works: list[Work] = []

    def put(self, work: Work) -> None:
        """Keeps it."""
        self.works.append(work)

    def let_through(self) -> None:
        """A turn of the engine."""
        taken, self.works = self.works, []
        self._send(self.engine.process(taken))


class Wire:
    """A client's end."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.changed = asyncio.Event()
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said.put_nowait({"type": "websocket.connect"})

    def say(self, message: dict[str, Any]) -> None:
        """Sends a message."""
        self._said.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    @property
    def unread(self) -> int:
        """Messages the socket has not read."""
        return self._said.qsize()

    async def receive(self) -> Any:
        """What the socket reads."""
        return await self._said.get()

    async def send(self, message: Any) -> None:
        """What the socket sends."""
        if message["type"] == "websocket.send":
            self.told.append(json.loads(message["text"]))
        self.changed.set()


def tell(served: Served, hub: Hub, story: Callable[[Wire], Coroutine[Any, Any, None]]) -> None:
    """A story of one connection."""

    async def run() -> None:
        wire = Wire()
        hub.connect(asyncio.get_running_loop())
        socket = SyncSocket(hub, served.auth, served.limits, (1, 48, 0))
        running = asyncio.create_task(socket.run(wire.receive, wire.send))
        async with asyncio.timeout(20):
            await story(wire)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


async def settle() -> None:
    """Lets every task go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_requests_waiting_is_a_limit(tmp_path: Path) -> None:
    """A client two messages ahead of the engine is read no further, and later again."""
    served = Served(tmp_path, requests_waiting=2)
    hub = Held(served)

    async def story(wire: Wire) -> None:
        wire.say({"type": "Connect", "sessionId": "0123456789"})
        for number in range(5):
            wire.say({**MODIFY, "baseVersion": number, "newVersion": number + 1})
        await settle()
        assert (len(hub.works), wire.unread) == (3, 3)
        hub.let_through()
        await settle()
        assert (len(hub.works), wire.unread) == (3, 0)

    tell(served, hub, story)
    served.close()


def test_idle_ping_s_is_a_limit(tmp_path: Path) -> None:
    """A connection that has been quiet for so long gets a Ping."""
    served = Served(tmp_path, idle_ping_s=0.05)

    async def story(wire: Wire) -> None:
        while not wire.told:
            wire.changed.clear()
            await wire.changed.wait()
        assert wire.told[0] == {"type": "Ping"}

    tell(served, served.hub, story)
    served.close()


@pytest.mark.parametrize("dead_client_s", [120.0, 10.0])
def test_dead_client_s_is_a_limit(tmp_path: Path, dead_client_s: float) -> None:
    """A socket that answers no ping for so long is closed, the wait for the ping included."""
    served = Served(tmp_path, dead_client_s=dead_client_s)
    with listen("127.0.0.1", 0) as listening:
        config = _Network(served, [listening], lambda: None, None)._uvicorn.config
    served.close()
    assert config.ws_ping_interval is not None
    assert config.ws_ping_timeout is not None
    assert 0 < config.ws_ping_interval <= 20
    assert config.ws_ping_interval + config.ws_ping_timeout == dead_client_s
