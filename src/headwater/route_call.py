"""One run of a route's handler: where actions run, with an action's ctx, limits and log."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, NoReturn

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from headwater.core.actions import ActionHost
from headwater.core.calls import Call, Outcome
from headwater.core.context import ActionCtx, Auth
from headwater.core.failures import Disclosure, Failure, failure_of, title
from headwater.core.logs import CallLog, current_log
from headwater.errors import HeadwaterError, LimitExceeded
from headwater.http_api import busy
from headwater.routes import CTX, Routes


@dataclass(frozen=True)
class Visitor:
    """Who sends a request.

    Attributes:
        identity: as plain data, None for nobody in particular.
        refusal: why its Authorization header proves nothing; told to whoever asks for the identity.
    """

    identity: dict[str, Any] | None = None
    refusal: HeadwaterError | None = None


@dataclass
class RouteCall:
    """A request on its way through a handler.

    Attributes:
        host: bounds how many run, and runs what they call.
        routes: the routes of the load that is live.
        visitor: who sends the request.
        disclosure: how much of a failure the answer tells.
        receive, send: ASGI's, as the handler sees the network.
        outcome: how it ended, and what it printed.
    """

    host: ActionHost
    routes: Routes
    visitor: Visitor
    disclosure: Disclosure
    receive: Any
    send: Any
    started: bool = False
    sent_bytes: int = 0
    outcome: Outcome = field(default_factory=Outcome)

    async def run(self, scope: Any) -> bool:
        """Answers the request; False when the answer broke off and its end must not look whole."""
        log = CallLog(self.host.database.limits)
        call = Call(f"{scope['method']} {scope['path']}", "http", {}, self.visitor.identity)
        outcome, now = self.outcome, self.host.database.clock.monotonic
        began, token = now(), current_log.set(log)
        try:
            async with self.host.bounded(call.path):
                await self.routes(self._own(scope), self.receive, self._send)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # sys.exit() in a handler must not end the actions' loop
            failure = failure_of(_too_late(error), self.host.calls.root)
            outcome.fail(failure, self.host.database.clock)
        finally:
            current_log.reset(token)
            outcome.log_lines, outcome.took_s = log.lines, now() - began
            self.host.on_call(call, outcome)
        return outcome.failure is None or await self._told(outcome.failure, outcome, scope)

    def _own(self, scope: Any) -> dict[str, Any]:
        """The scope as the handler's; HEAD runs GET, whose body the network leaves out."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        asgi = {**scope.get("asgi", {}), "spec_version": "2.4"}  # a lost client fails `send`
        return {**scope, "method": method, "asgi": asgi, CTX: self._ctx()}

    def _ctx(self) -> ActionCtx:
        placement: Any = self.host.calls.placement
        identity = self.visitor.identity
        ctx: ActionCtx = placement.action_ctx(
            identity, self.host.runner(identity), self.host.database
        )
        if self.visitor.refusal is not None:
            ctx.auth = Auth(self._refuse)
        return ctx

    async def _refuse(self) -> NoReturn:
        assert self.visitor.refusal is not None, "only then is this called"
        raise self.visitor.refusal

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._check(_declared_bytes(message))
            self.started = True
        elif message["type"] == "http.response.body":
            self.sent_bytes += len(message.get("body", b""))
            self._check(self.sent_bytes)
        await self.send(message)

    def _check(self, size: int) -> None:
        limit = self.host.database.limits.http_response_bytes
        if size > limit:
            raise LimitExceeded(
                f"the answer has {size} bytes or more, the limit is {limit}. Store it as a file "
                "and answer with its URL, or answer in several requests"
            )

    async def _told(self, failure: Failure, outcome: Outcome, scope: Any) -> bool:
        if self.started:
            return False
        response = failed(failure, outcome.request_id, self.disclosure)
        await response(scope, self.receive, self.send)
        return True


def failed(failure: Failure, request_id: str, disclosure: Disclosure) -> Response:
    """The answer to a request whose handler failed: 500, or 503 when the engine is busy."""
    if failure.overloaded is not None:
        return busy(failure, disclosure.message(failure, request_id))
    body: dict[str, Any] = {"code": title(request_id)}
    if disclosure.whole:
        first, _, _ = failure.message.partition("\n")
        body = {"code": f"{title(request_id)}: {first}", "trace": failure.message}
    if failure.data is not None:
        body["data"] = orjson.Fragment(failure.data)
    return Response(orjson.dumps(body), 500, media_type="application/json")


def _too_late(error: BaseException) -> BaseException:
    """The error itself, where starlette only says that its answer comes too late."""
    meant = error.__cause__
    return HeadwaterError(meant.detail) if isinstance(meant, HTTPException) else error


def _declared_bytes(message: Any) -> int:
    for name, value in message.get("headers", ()):
        if name.lower() == b"content-length" and value.isdigit():
            return int(value)
    return 0
