"""The way from a browser to the project's Vite: HTTP and the WebSocket of its hot reload.

The gate has looked at Host and Origin before anything comes here.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse

from headwater.http_api import problem, refuse
from headwater.vite import Vite

if TYPE_CHECKING:
    import httpx
    from websockets.asyncio.client import ClientConnection

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade".split()
)
_API = "/api/"  # what is unknown there is no page
_AGAIN_S = 2
_MESSAGE_BYTES = 64 * 1024 * 1024  # an overlay of Vite's may quote a large file


class ViteProxy:
    """An ASGI application that passes on what it is asked.

    Args:
        vite: the child.
    """

    def __init__(self, vite: Vite) -> None:
        self._vite = vite
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one connection."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def close(self) -> None:
        """Closes the connections to Vite that were kept open."""
        if self._client is not None:
            await self._client.aclose()

    async def _port(self) -> int | None:
        # Shielded: a browser that goes away must not end the waiting of all others.
        return await asyncio.shield(asyncio.wrap_future(self._vite.port()))

    # --- HTTP ---

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith(_API):
            await problem(404, "NotFound", "no such address")(scope, receive, send)
        elif _taken_by_another_site(scope):
            text = "a page of another site may not load this frontend"
            await problem(403, "Forbidden", text)(scope, receive, send)
        elif (port := await self._port()) is None:
            await self._absent()(scope, receive, send)
        else:
            await self._pass_on(port, scope, receive, send)

    async def _pass_on(self, port: int, scope: Any, receive: Any, send: Any) -> None:
        httpx = importlib.import_module("httpx")  # it takes a fifth of a second: not at the start
        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False, timeout=60, follow_redirects=False)
        request = self._client.build_request(
            scope["method"],
            httpx.URL(scheme="http", host="127.0.0.1", port=port, raw_path=_target(scope)),
            headers=_forwarded(scope),
            content=_body(receive) if _has_body(scope) else None,
        )
        try:
            response = await self._client.send(request, stream=True)
        except httpx.TransportError:
            await self._absent()(scope, receive, send)
            return
        try:
            await _answer(response, send)
        finally:
            await response.aclose()

    def _absent(self) -> HTMLResponse:
        """A page that says why there is none, and looks again by itself."""
        lacking = self._vite.lacks()
        if lacking is None:
            title, what = "Vite is not running", "The terminal of headwater dev says why."
        else:
            title, what = "The frontend is not installed yet", f"Do this: {lacking}"
        return notice(title, what, again=True)

    # --- the WebSocket ---

    async def _socket(self, scope: Any, receive: Any, send: Any) -> None:
        port = await self._port()
        if port is None:
            await refuse(scope, receive, send, 503, "NoFrontend", "Vite is not running")
            return
        client = importlib.import_module("websockets.asyncio.client")
        exceptions = importlib.import_module("websockets.exceptions")
        await receive()  # websocket.connect
        try:
            upstream = await client.connect(
                f"ws://127.0.0.1:{port}{_target(scope).decode('latin-1')}",
                subprotocols=scope["subprotocols"] or None,
                origin=dict(scope["headers"]).get(b"origin", b"").decode("latin-1") or None,
                compression=None,
                proxy=None,
                ping_interval=None,
                max_size=_MESSAGE_BYTES,
            )
        except (OSError, exceptions.WebSocketException):
            await send({"type": "websocket.close", "code": 1011})
            return
        await send({"type": "websocket.accept", "subprotocol": upstream.subprotocol})
        await _join(upstream, receive, send)


def notice(title: str, what: str, *, again: bool = False) -> HTMLResponse:
    """A page in place of a frontend that cannot be shown.

    Args:
        title: what is the matter.
        what: what to do about it.
        again: look again by itself every two seconds.
    """
    refresh = f'<meta http-equiv="refresh" content="{_AGAIN_S}">' if again else ""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8">{refresh}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        f'<body style="font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;'
        f'padding:0 1rem"><h1>{escape(title)}</h1><p>{escape(what)}</p>'
        "<p>The backend is up: its functions can be called.</p></body></html>",
        503,
        headers={"Cache-Control": "no-store"},
    )


def _taken_by_another_site(scope: Any) -> bool:
    """Whether a page of another site loads this as a part of itself; a link to it may be followed.

    A `<script>` tag sends no Origin, so the gate cannot see it.
    """
    headers = dict(scope["headers"])
    site, mode = headers.get(b"sec-fetch-site"), headers.get(b"sec-fetch-mode")
    return bool(site == b"cross-site" and mode != b"navigate")


def _target(scope: Any) -> bytes:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


def _forwarded(scope: Any) -> list[tuple[bytes, bytes]]:
    """The request's headers; Host is the upstream's own, Origin the gate's business."""
    left = _HOP_BY_HOP | {b"host", b"origin"}
    return [(name, value) for name, value in scope["headers"] if name not in left]


def _has_body(scope: Any) -> bool:
    names = {name for name, _ in scope["headers"]}
    return not names.isdisjoint({b"content-length", b"transfer-encoding"})


async def _body(receive: Any) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _answer(response: httpx.Response, send: Any) -> None:
    headers = [
        (name.lower(), value)
        for name, value in response.headers.raw
        if name.lower() not in _HOP_BY_HOP and not name.lower().startswith(b"access-control-")
    ]
    start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
    await send(start)
    async for chunk in response.aiter_raw():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _join(upstream: ClientConnection, receive: Any, send: Any) -> None:
    """Carries messages both ways until either side closes, then closes the other."""
    ways = {
        asyncio.create_task(_to_vite(upstream, receive)),
        asyncio.create_task(_to_browser(upstream, send)),
    }
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        await upstream.close()
        with suppress(RuntimeError, OSError):  # the browser has closed already
            await send({"type": "websocket.close", "code": 1000})


async def _to_vite(upstream: ClientConnection, receive: Any) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        await upstream.send(text if text is not None else message["bytes"])


async def _to_browser(upstream: ClientConnection, send: Any) -> None:
    async for message in upstream:
        kind = "text" if isinstance(message, str) else "bytes"
        await send({"type": "websocket.send", kind: message})
