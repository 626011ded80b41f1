"""One simulated client: a socket, a dialect, and the wait for what must come."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any

from benchmarks.load.dialects import Dialect, Refused, View
from benchmarks.load.socket import Socket


class Countdown:
    """Ends, with the time it ended at, when so many clients have reported."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def report(self) -> None:
        """One client less to wait for."""
        self.left -= 1
        if self.left == 0:
            self.ended.set_result(perf_counter())


class Client:
    """One connection that subscribes, writes and watches for marked states."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.socket: Socket
        self.next_id = 0
        self.writes: dict[int, asyncio.Future[Any]] = {}
        self.states: Countdown | None = None
        self.marker = b""
        self.on_marker: Callable[[], None] | None = None

    @classmethod
    async def open(cls, address: str, dialect: Dialect) -> "Client":
        """Connect and say hello."""
        client = cls(dialect)
        client.socket = await Socket.open(address, dialect.path, client.receive)
        for message in dialect.hello():
            client.socket.send(message)
        return client

    def receive(self, message: bytes) -> None:
        """Take one message; a marked state is not parsed, only recognised."""
        if self.on_marker is not None and self.marker in message:
            report, self.on_marker = self.on_marker, None
            report()
            return
        event = self.dialect.read(message)
        for id, value in event.acknowledged:
            self.writes.pop(id).set_result(value)
        if event.refused is not None:
            id, reason = event.refused
            self.writes.pop(id).set_exception(Refused(reason))
        if self.states is not None:
            for _ in range(event.states):
                self.states.report()

    def watch(self, marker: bytes, countdown: Countdown) -> None:
        """Report the next state that holds the marker."""
        self.marker, self.on_marker = marker, countdown.report

    async def subscribe(self, views: list[View]) -> None:
        """Follow views and wait for the first state of each."""
        self.states = Countdown(len(views))
        for message in self.dialect.subscribe(views):
            self.socket.send(message)
        await self.states.ended
        self.states = None

    async def write(self, operation: str, **args: Any) -> Any:
        """Ask for a write and wait until it is acknowledged."""
        self.next_id += 1
        acknowledged = asyncio.get_running_loop().create_future()
        self.writes[self.next_id] = acknowledged
        self.socket.send(self.dialect.write(self.next_id, operation, args))
        return await acknowledged

    def close(self) -> None:
        """Disconnect."""
        self.socket.close()
