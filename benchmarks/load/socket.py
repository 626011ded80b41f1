"""A WebSocket client as light as may be, so that the load generator leaves the cores to the server.

It masks with a zero key, which the protocol allows, offers no extensions and takes unfragmented
messages only: what both servers send.
"""

import asyncio
import base64
import os
from collections.abc import Callable
from typing import cast

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class Socket(asyncio.Protocol):
    """One connection; hands each text message, as bytes, to `on_text`."""

    def __init__(self, path: str, host: str, on_text: Callable[[bytes], None]) -> None:
        self.path, self.host, self.on_text = path, host, on_text
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closing = False
        self.buffer = bytearray()
        self.take = self.take_upgrade
        self.transport: asyncio.Transport

    @classmethod
    async def open(cls, address: str, path: str, on_text: Callable[[bytes], None]) -> "Socket":
        """Connect to `host:port` and upgrade."""
        host, port = address.rsplit(":", 1)
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(
            lambda: cls(path, address, on_text), host, int(port)
        )
        await asyncio.wait_for(socket.opened, 30)
        return socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = connected = cast(asyncio.Transport, transport)  # uvloop: no subclass
        key = base64.b64encode(os.urandom(16)).decode()
        connected.write(
            f"GET {self.path} HTTP/1.1\r\nHost: {self.host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take every whole message there is."""
        self.buffer += data
        while self.take():
            pass

    def take_upgrade(self) -> bool:
        """Take the answer to the upgrade, once it is whole."""
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return False
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise ConnectionError(f"no upgrade: {head.decode(errors='replace')}")
        self.buffer, self.take = rest, self.take_frame
        self.opened.set_result(None)
        return True

    def take_frame(self) -> bool:
        """Take one frame, once it is whole."""
        buffer = self.buffer
        if len(buffer) < 2:
            return False
        length, start = buffer[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            if len(buffer) < start:
                return False
            length = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + length:
            return False
        payload = bytes(memoryview(buffer)[start : start + length])
        first = buffer[0]
        del buffer[: start + length]
        self.handle(first, payload)
        return True

    def handle(self, first: int, payload: bytes) -> None:
        """Act on one frame."""
        if first == 0x80 | TEXT:
            self.on_text(payload)
        elif first == 0x80 | PING:
            self.send_frame(PONG, payload)
        elif first == 0x80 | CLOSE:
            self.fail(ConnectionError(f"closed by the server: {payload!r}"))
        else:
            self.fail(ConnectionError(f"unexpected frame {first:#x}"))

    def send(self, text: bytes) -> None:
        """Send one text message."""
        self.send_frame(TEXT, text)

    def send_frame(self, opcode: int, payload: bytes) -> None:
        """Send one masked frame."""
        length = len(payload)
        if length < 126:
            size = bytes([0x80 | length])
        elif length < 1 << 16:
            size = b"\xfe" + length.to_bytes(2, "big")
        else:
            size = b"\xff" + length.to_bytes(8, "big")
        self.transport.write(bytes([0x80 | opcode]) + size + b"\0\0\0\0" + payload)

    def close(self) -> None:
        """Say goodbye and close."""
        self.closing = True
        self.send_frame(CLOSE, b"\x03\xe8")
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report a connection that the server or the network ended."""
        self.fail(exc or ConnectionError("the server closed the connection"))

    def fail(self, error: Exception) -> None:
        """End the program: a benchmark in which a connection breaks has no result."""
        if self.closing:
            return
        self.closing = True
        if not self.opened.done():
            self.opened.set_exception(error)
            return
        asyncio.get_running_loop().call_exception_handler({"message": str(error)})
        os._exit(70)
