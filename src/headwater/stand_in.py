"""A stand-in for a service of the outside world: a server on the loopback address."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_LOOKS_S = 0.05
"""How often its thread looks whether it is to end."""
_LENGTH_DIGITS = 12


class StandIn:
    """Serves from a thread of its own until it is closed, or left as a context manager.

    Args:
        name: of the thread.
        handler: makes what serves one connection.

    Attributes:
        url: its address, such as `http://127.0.0.1:40123`.
    """

    def __init__(self, name: str, handler: Callable[..., BaseHTTPRequestHandler]) -> None:
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(
            target=self._server.serve_forever, args=(_LOOKS_S,), name=name, daemon=True
        ).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops serving; the address is free again."""
        self._server.shutdown()
        self._server.server_close()


class StandInHandler(BaseHTTPRequestHandler):
    """Serves one connection, which may be silent for half a minute."""

    protocol_version = "HTTP/1.1"
    timeout = 30.0

    def content_length(self) -> int:
        """How long the body is to be; 0 for a length that is none."""
        said = self.headers.get("content-length") or ""
        return int(said) if said.isdecimal() and len(said) < _LENGTH_DIGITS else 0

    def log_message(self, *_words: Any) -> None:
        """Says nothing: whoever made the stand-in looks at its `requests`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a client that is gone or speaks no HTTP."""
