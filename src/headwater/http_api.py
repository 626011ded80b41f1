"""The HTTP API: functions called one at a time, as Convex's HTTP clients do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from headwater.auth import Auth, Caller
from headwater.core import values
from headwater.core.calls import Call, Outcome
from headwater.core.failures import WHOLE, Disclosure, Failure
from headwater.core.manifest import FunctionKind, canonical_path
from headwater.errors import InvalidToken, InvalidValue
from headwater.hub import Hub
from headwater.settings import Limits

_FORMATS = ("json", "convex_encoded_json")
_BUSY = {"Conflict": "OptimisticConcurrencyControlFailure", "Overloaded": "TooManyWrites"}


class BadRequest(Exception):
    """A request that cannot be answered: a status, a code programs match on, a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class HttpApi:
    """The routes of the HTTP API."""

    def __init__(self, hub: Hub, auth: Auth, limits: Limits, version: str) -> None:
        self._hub = hub
        self._auth = auth
        self._limits = limits
        self._version = version

    def add_routes(self, app: FastAPI) -> None:
        """Adds the API to an application."""
        for kind in ("query", "mutation", "action"):
            methods = ["POST", "GET"] if kind == "query" else ["POST"]
            app.add_route(f"/api/{kind}", self._guarded(self._of_kind(kind)), methods)
        app.add_route("/api/function", self._guarded(self._function), ["POST"])
        app.add_route("/api/run/{path:path}", self._guarded(self._run), ["POST"])
        app.add_route("/version", self._text(self._version), ["GET"])
        app.add_route("/instance_version", self._text(self._version), ["GET"])
        app.add_route("/instance_name", self._text("headwater"), ["GET"])

    def _text(self, text: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(_request: Request) -> Response:
            return PlainTextResponse(text)

        return answer

    def _guarded(
        self, handler: Callable[[Request, Caller], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                caller = await self._auth.caller(request.headers.get("authorization"))
                return await handler(request, caller)
            except InvalidToken as error:
                return problem(error.status, error.code, error.message)
            except BadRequest as error:
                return problem(error.status, error.code, error.message)
            except InvalidValue as error:
                return problem(400, "BadJsonBody", error.message)

        return answer

    def _of_kind(self, kind: FunctionKind) -> Callable[[Request, Caller], Awaitable[Response]]:
        async def answer(request: Request, caller: Caller) -> Response:
            if request.method == "GET":
                body: Any = dict(request.query_params)
                body["args"] = _parsed(body.get("args", "{}").encode())
            else:
                body = await self._body(request)
            return await self._call(_member(body, "path"), body, kind, caller)

        return answer

    async def _function(self, request: Request, caller: Caller) -> Response:
        if not caller.admin:
            raise BadRequest(403, "Forbidden", "/api/function needs the admin key")
        body = await self._body(request)
        return await self._call(_member(body, "path"), body, None, caller)

    async def _run(self, request: Request, caller: Caller) -> Response:
        body = await self._body(request)
        given: str = request.path_params["path"]
        module, _, name = given.rpartition("/")
        path = given if ":" in given or not module else f"{module}:{name}"
        return await self._call(path, body, None, caller)

    async def _body(self, request: Request) -> dict[str, Any]:
        body = _parsed(await body_of(request, self._limits.message_bytes))
        if not isinstance(body, dict):
            raise BadRequest(400, "BadJsonBody", "the body must be a JSON object")
        return body

    async def _call(
        self, given: str, body: dict[str, Any], kind: FunctionKind | None, caller: Caller
    ) -> Response:
        path = canonical_path(given)
        format_ = body.get("format", "json")
        if format_ not in _FORMATS:
            raise BadRequest(
                400, "BadFormat", f"format must be {' or '.join(_FORMATS)}, not {format_!r}"
            )
        if body.get("componentPath"):
            raise BadRequest(400, "BadComponentPath", "components are not supported")
        arguments = _arguments(body.get("args", {}))
        wanted = kind or self._kind_of(path)
        call = Call(path, wanted, arguments, caller.identity, internal=caller.admin)
        if wanted == "action":
            outcome = await self._hub.actions.run(call)
        else:
            outcome, _ = await self._hub.execute(call)
        return self._response(outcome, format_, WHOLE if caller.admin else self._disclosure)

    def _kind_of(self, path: str) -> FunctionKind:
        spec = self._hub.engine.database.manifest.functions.get(path)
        return spec.kind if spec is not None else "query"

    @property
    def _disclosure(self) -> Disclosure:
        return self._hub.engine.disclosure

    def _response(self, outcome: Outcome, format_: str, disclosure: Disclosure) -> Response:
        failure = outcome.failure
        told = disclosure.lines(outcome.log_lines)
        lines = {"logLines": told} if told else {}
        if failure is None:
            body = {"status": "success", "value": _formatted(outcome.value or b"null", format_)}
            return _json({**body, **lines})
        if failure.overloaded is not None:
            message = disclosure.message(failure, outcome.request_id)
            return busy(failure, message)
        message = disclosure.message(failure, outcome.request_id)
        body = {"status": "error", "errorMessage": message}
        if failure.data is not None:
            body["errorData"] = _formatted(failure.data, format_)
        return _json({**body, **lines})


async def body_of(request: Request, limit: int) -> bytes:
    """A request's body.

    Raises:
        BadRequest: it is larger than the limit.
    """
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise BadRequest(
                413, "RequestTooLarge", f"the body is larger than {limit} bytes; send less"
            )
        chunks.append(chunk)
    return b"".join(chunks)


def busy(failure: Failure, message: str) -> Response:
    """The answer when the engine could not run a call now; clients try again."""
    return problem(503, _BUSY[failure.overloaded or "Overloaded"], message)


async def refuse(scope: Any, receive: Any, send: Any, status: int, code: str, message: str) -> None:
    """Answers a request, or what would have become a WebSocket, with a refusal."""
    response = problem(status, code, message)
    if scope["type"] == "websocket":
        await receive()
        prefix = "websocket.http.response"
        headers = [*response.raw_headers]
        await send({"type": f"{prefix}.start", "status": status, "headers": headers})
        await send({"type": f"{prefix}.body", "body": response.body})
    else:
        await response(scope, receive, send)


def problem(status: int, code: str, message: str) -> Response:
    """A refusal, in the form clients parse."""
    return _json({"code": code, "message": message}, status)


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


def _formatted(encoded: bytes, format_: str) -> Any:
    if format_ == "json":
        return values.clean(values.decode(encoded))
    return orjson.Fragment(encoded)


def _parsed(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(400, "BadJsonBody", f"the body is not JSON: {error}") from None


def _member(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise BadRequest(
            400, "BadJsonBody", f"the body needs `{name}`, a text such as 'tasks:list'"
        )
    return value


def _arguments(given: Any) -> Any:
    if isinstance(given, list) and len(given) <= 1:
        given = given[0] if given else {}
    if not isinstance(given, dict):
        raise BadRequest(400, "BadJsonBody", "`args` must be an object")
    return values.from_json(given)
