"""HTTP routes in a worker: one request of the host, driven through the backend's application."""

from __future__ import annotations

import asyncio
from typing import Any

from headwater import remote
from headwater.core.context import ActionCtx
from headwater.core.logs import CallLog, current_log
from headwater.routes import CTX


async def answer_to(site: Any, request: dict[str, Any], ctx: ActionCtx, log: CallLog) -> Any:
    """What the routes answer to a request, as plain data; raises what a handler raised.

    Args:
        site: the application of the backend's routes.
        request: as remote_site.py writes it.
        ctx: the handler's.
        log: what it prints goes there.
    """
    exchange = _Exchange(remote.value_in(request["body"]))
    token = current_log.set(log)
    try:
        await site(_scope(request, ctx), exchange.receive, exchange.send)
    finally:
        current_log.reset(token)
    return exchange.answer()


def _scope(request: dict[str, Any], ctx: ActionCtx) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request["method"],
        "scheme": "http",
        "path": request["path"],
        "raw_path": request["path"].encode(),
        "query_string": request["query"].encode("latin-1"),
        "root_path": "",
        "headers": [
            (name.encode("latin-1"), v.encode("latin-1")) for name, v in request["headers"]
        ],
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 123),
        CTX: ctx,
    }


class _Exchange:
    """The network as the application sees it: the body once, then a client that waits."""

    def __init__(self, body: bytes) -> None:
        self._rest: list[dict[str, Any]] = [
            {"type": "http.request", "body": body, "more_body": False}
        ]
        self._start: dict[str, Any] = {}
        self._sent = bytearray()
        self._ended = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        """The client's next message."""
        if self._rest:
            return self._rest.pop()
        await self._ended.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """Takes a part of the answer."""
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._sent += message.get("body", b"")
            if not message.get("more_body"):
                self._ended.set()

    def answer(self) -> dict[str, Any]:
        """The whole answer, as a value."""
        headers = self._start.get("headers", ())
        return {
            "status": float(self._start["status"]),
            "headers": [[name.decode("latin-1"), v.decode("latin-1")] for name, v in headers],
            "body": bytes(self._sent),
        }
