"""A stand-in: its address is its own, and free when it ends."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from headwater.stand_in import StandIn, StandInHandler


class Greeter(StandInHandler):
    """Says hello."""

    def do_GET(self) -> None:
        """One answer."""
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")


def test_it_answers_until_it_is_closed() -> None:
    """On the loopback address alone."""
    with StandIn("greeter", Greeter) as greeter:
        assert httpx.get(greeter.url).text == "hello"
    with pytest.raises(httpx.ConnectError):
        httpx.get(greeter.url)
    address = urlsplit(greeter.url)
    assert address.hostname == "127.0.0.1"
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind((address.hostname, address.port or 0))
