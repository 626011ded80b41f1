"""The load generator's own WebSocket client and its dialects read what servers send."""

import asyncio
import base64

import orjson
from benchmarks.load.dialects import HeadwaterDialect
from benchmarks.load.socket import Socket


def test_the_socket_takes_frames_cut_anywhere() -> None:
    """Small and large messages arrive whole, whatever pieces the network makes of them."""
    large = b"x" * 70_000
    stream = (
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
        b"\x81\x02hi"
        + (b"\x81\x7e" + (300).to_bytes(2, "big") + b"y" * 300)
        + (b"\x81\x7f" + len(large).to_bytes(8, "big") + large)
    )

    async def received(step: int) -> list[bytes]:
        texts: list[bytes] = []
        socket = Socket("/ws", "localhost", texts.append)
        for first in range(0, len(stream), step):
            socket.data_received(stream[first : first + step])
        return texts

    for step in (1, 7, 1000, len(stream)):
        assert asyncio.run(received(step)) == [b"hi", b"y" * 300, large]


def test_a_write_is_done_when_a_transition_reaches_it() -> None:
    """A response alone does not count: official clients wait for the transition, too."""
    dialect = HeadwaterDialect()
    response = {"type": "MutationResponse", "requestId": 1, "success": True, "result": 7}
    assert dialect.read(orjson.dumps(response | {"ts": wire(20)})).acknowledged == []
    assert dialect.read(transition(19)).acknowledged == []
    assert dialect.read(transition(20)).acknowledged == [(1, 7)]


def transition(ts: int) -> bytes:
    """An empty transition to a timestamp."""
    return orjson.dumps({"type": "Transition", "endVersion": {"ts": wire(ts)}, "modifications": []})


def wire(ts: int) -> str:
    """A timestamp as the sync protocol writes it."""
    return base64.b64encode(ts.to_bytes(8, "little")).decode()
