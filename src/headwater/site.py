"""The site origin: HTTP routes of the backend, on a port of their own and under `/http/`.

A request comes in on the network's loop and is answered on the loop of the actions; between the two
goes one message at a time, so that neither a body nor an answer is ever held whole.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.exceptions import HTTPException

from headwater.auth import Auth
from headwater.errors import HeadwaterError
from headwater.gate import Gate
from headwater.http_api import problem, refuse
from headwater.hub import Hub
from headwater.route_call import RouteCall, Visitor
from headwater.routes import Routes
from headwater.settings import Limits
from headwater.sync_socket import Receive, Send

PREFIX = "/http"
_NO_ROUTES = "This backend has no HTTP routes; declare them in backend/routes.py."


class Site:
    """Answers with the routes of whatever load of the backend is live."""

    def __init__(self, hub: Hub, auth: Auth, limits: Limits, gate: Gate) -> None:
        self._hub, self._auth, self._limits, self._gate = hub, auth, limits, gate

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answers one request; its path begins with the scope's `root_path`."""
        headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
        routes: Routes | None = self._placement.site
        refusal = self._gate.refuses_site(headers, routes and routes.cors)
        if refusal is not None:
            await refuse(scope, receive, send, 403, "Forbidden", refusal)
        elif scope["type"] == "websocket" or routes is None:
            await refuse(scope, receive, send, 404, "NoHttpRoute", _NO_ROUTES)
        elif _declared(headers) > self._limits.http_request_bytes:
            await problem(413, "RequestTooLarge", _too_large(self._limits))(scope, receive, send)
        else:
            visitor = await self._visitor(headers.get("authorization"))
            passage = _Passage(receive, send, self._limits)
            await self._run(routes, scope, visitor, passage)

    @property
    def _placement(self) -> Any:
        return self._hub.engine.calls.placement

    async def _visitor(self, authorization: str | None) -> Visitor:
        try:
            return Visitor((await self._auth.caller(authorization)).identity)
        except HeadwaterError as error:
            return Visitor(refusal=error)

    async def _run(self, routes: Routes, scope: Any, visitor: Visitor, passage: _Passage) -> None:
        actions = self._hub.actions
        disclosure = self._hub.engine.disclosure
        call = RouteCall(actions.host, routes, visitor, disclosure, passage.receive, passage.send)
        running = asyncio.wrap_future(
            actions.start(call.run(scope), f"{scope['method']} {scope['path']}")
        )
        watching = asyncio.create_task(passage.watch(running))
        try:
            whole = await running
        except BaseException:  # what a handler raises here would end the network's loop
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            whole = passage.gone
        finally:
            watching.cancel()
        if not whole:
            await passage.break_off(scope)


class _Passage:
    """One request's messages, between the network's loop and the handler's.

    Attributes:
        gone: the client has left before it had its answer.
    """

    def __init__(self, receive: Receive, send: Send, limits: Limits) -> None:
        self.gone = False
        self._receive, self._send, self._limits = receive, send, limits
        self._loop = asyncio.get_running_loop()
        self._messages: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)
        self._started = self._complete = False

    # on the handler's loop

    async def receive(self) -> Any:
        """The next message of the client.

        Raises:
            HTTPException: its body is larger than a body may be.
        """
        message = await self._across(self._messages.get())
        if message["type"] == "too large":
            raise HTTPException(413, _too_large(self._limits))
        return message

    async def send(self, message: Any) -> None:
        """Sends a message; returns when the network has room for more.

        Raises:
            OSError: the client has left.
        """
        await self._across(self._forward(message))

    async def _across(self, work: Any) -> Any:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    # on the network's loop

    async def watch(self, running: asyncio.Future[bool]) -> None:
        """Brings the body to the handler, and ends the handler when the client has left."""
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                if not self._complete:
                    self.gone = True
                    running.cancel()
                return
            size += len(message.get("body", b""))
            if size > self._limits.http_request_bytes:
                message = {"type": "too large"}
            await self._messages.put(message)

    async def _forward(self, message: Any) -> None:
        if self.gone:
            raise OSError("the client has left")
        self._started = True
        ends = message["type"] == "http.response.body" and not message.get("more_body")
        self._complete = self._complete or ends  # before: its sending tells of a disconnect
        await self._send(message)

    async def break_off(self, scope: Any) -> None:
        """Cuts the connection, so that half an answer is not taken for a whole one."""
        if not self._started:
            text = "The handler was ended before it answered. Try again."
            await problem(500, "InternalServerError", text)(scope, self._receive, self._send)
            return
        # ASGI has no word for letting a connection go, so the server's own transport is asked.
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()
            while (await self._receive())["type"] != "http.disconnect":
                pass  # uvicorn takes an answer that just ends for a fault of ours


def _declared(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "")
    return int(text) if text.isdecimal() else 0


def _too_large(limits: Limits) -> str:
    return f"the body is larger than {limits.http_request_bytes} bytes; send less, or store a file"
