"""The HTTP routes of a backend in a worker, as an ASGI application of the host.

A request goes over the pipe whole, and its answer comes back whole. The host serves what it asks
meanwhile as it serves an action.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from headwater import remote
from headwater.core.database import Database
from headwater.core.logs import CallLog, current_log
from headwater.remote import MalformedFrame, typed
from headwater.routes import CTX

_STATUS: Final = range(100, 600)
_HEADERS: Final = 200

Act = Callable[[str, dict[str, Any], Any, Any, CallLog, Database], Awaitable[Any]]
"""Runs what a message opens in the worker; gives its result."""


@dataclass
class RemoteCtx:
    """Stands for a route's ctx, which is in the worker.

    Attributes:
        identity: who sends the request, as plain data.
        runner: calls the backend in their name.
        database: what the host has.
        auth: whoever serves routes may put its own here; the worker's is asked instead.
    """

    identity: dict[str, Any] | None
    runner: Any
    database: Database
    auth: Any = None


class RemoteSite:
    """Answers requests with routes that are in a worker.

    Args:
        act: runs what a message opens in the worker.
    """

    def __init__(self, act: Act) -> None:
        self._act = act

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers a request; raises what the handler raised.

        Raises:
            WorkerFailed: the worker did not play by the rules and was ended.
        """
        ctx: RemoteCtx = scope[CTX]
        what = f"{scope['method']} {scope['path']}"
        message = {"route": _request(scope, await _body(receive))}
        log = current_log.get() or CallLog(ctx.database.limits)
        answer = await self._act(what, message, ctx.identity, ctx.runner, log, ctx.database)
        await send({"type": "http.response.start", **answer["start"]})
        await send({"type": "http.response.body", "body": answer["body"]})


def _request(scope: Any, body: bytes) -> dict[str, Any]:
    """A request as plain data."""
    return {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode("latin-1"),
        "headers": [[name.decode("latin-1"), v.decode("latin-1")] for name, v in scope["headers"]],
        "body": remote.value_out(body),
    }


async def _body(receive: Any) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def answer_in(value: Any) -> dict[str, Any]:
    """What a worker answered to a request.

    Raises:
        MalformedFrame: it is no answer.
    """
    given = typed(value, dict, "an answer")
    headers = typed(given.get("headers"), list, "headers")
    status = typed(given.get("status"), float, "a status")
    if status not in _STATUS or len(headers) > _HEADERS:
        raise MalformedFrame("an answer with no status, or too many headers")
    start = {"status": int(status), "headers": [_header(each) for each in headers]}
    return {"start": start, "body": typed(given.get("body"), bytes, "a body")}


def _header(pair: Any) -> tuple[bytes, bytes]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise MalformedFrame("a header that is none")
    try:
        name, value = (typed(each, str, "a header").encode("latin-1") for each in pair)
    except UnicodeEncodeError:
        raise MalformedFrame("a header that is none") from None
    if not name or any(byte < 32 or byte == 127 for byte in name + value.replace(b"\t", b" ")):
        raise MalformedFrame("a header that is none")
    return name, value
