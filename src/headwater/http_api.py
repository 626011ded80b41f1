"""The HTTP API: functions called one at a time, as Convex's HTTP clients do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from headwater.auth import Auth, Caller
from headwater.core import values
from headwater.core.calls import Call, Outcome
from headwater.core.failures import WHOLE, Disclosure, Failure
from headwater.core.manifest import FunctionKind, canonical_path
from headwater.core.protocol import decode_ts, encode_ts
from headwater.errors import InvalidToken, InvalidValue, ProtocolError
from headwater.hub import Hub
from headwater.settings import Limits

_FORMATS = ("json", "convex_encoded_json")
_BUSY = {
    "Conflict": "OptimisticConcurrencyControlFailure",
    "Overloaded": "TooManyWrites",
    "SnapshotGone": "OutOfRetention",
}
Handler = Callable[[Request, Caller], Awaitable[Response]]


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
        app.add_route("/api/query_ts", self._guarded(self._query_ts), ["POST"])
        app.add_route("/api/query_at_ts", self._guarded(self._query_at_ts), ["POST"])
        app.add_route("/api/query_batch", self._guarded(self._query_batch), ["POST"])
        app.add_route("/api/run/{path:path}", self._guarded(self._run), ["POST"])
        app.add_route("/version", self._text(self._version), ["GET"])
        app.add_route("/instance_version", self._text(self._version), ["GET"])
        app.add_route("/instance_name", self._text("headwater"), ["GET"])
        app.add_exception_handler(HTTPException, _not_served)

    def _text(self, text: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(_request: Request) -> Response:
            return PlainTextResponse(text)

        return answer

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
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

    def _of_kind(self, kind: FunctionKind) -> Handler:
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

    async def _query_ts(self, _request: Request, _caller: Caller) -> Response:
        return _json({"ts": encode_ts(await self._hub.pin())})

    async def _query_at_ts(self, request: Request, caller: Caller) -> Response:
        body = await self._body(request)
        ts = _timestamp(body)
        if ts > self._hub.engine.last_ts:
            text = "`ts` is newer than the database; ask /api/query_ts for one"
            raise BadRequest(400, "BadTimestamp", text)
        return await self._call(_member(body, "path"), body, "query", caller, ts)

    async def _query_batch(self, request: Request, caller: Caller) -> Response:
        """Several queries, all at one timestamp."""
        queries = (await self._body(request)).get("queries")
        if not isinstance(queries, list) or not all(isinstance(one, dict) for one in queries):
            raise BadRequest(
                400, "BadJsonBody", 'the body needs `queries`, a list such as [{"path", "args"}]'
            )
        most = self._limits.queries_at_once
        if len(queries) > most:
            text = f"{len(queries)} queries are too many for one request; send {most} at most"
            raise BadRequest(400, "TooManyQueries", text)
        calls = [self._prepared(_member(one, "path"), one, "query", caller) for one in queries]
        ts, results = await self._hub.pin(), []
        for call, format_ in calls:
            call.at_ts = ts
            outcome, _ = await self._hub.execute(call)
            if outcome.failure is not None and outcome.failure.overloaded is not None:
                return self._response(outcome, format_, caller)
            results.append(self._result(outcome, format_, caller))
        return _json({"results": results})

    async def _call(
        self,
        given: str,
        body: dict[str, Any],
        kind: FunctionKind | None,
        caller: Caller,
        at_ts: int | None = None,
    ) -> Response:
        call, format_ = self._prepared(given, body, kind, caller)
        call.at_ts = at_ts
        if call.kind == "action":
            outcome = await self._hub.actions.run(call)
        else:
            outcome, _ = await self._hub.execute(call)
        return self._response(outcome, format_, caller)

    def _prepared(
        self, given: str, body: dict[str, Any], kind: FunctionKind | None, caller: Caller
    ) -> tuple[Call, str]:
        """The call that a body describes, and how its result is to be spelled."""
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
        return Call(path, wanted, arguments, caller.identity, internal=caller.admin), format_

    def _kind_of(self, path: str) -> FunctionKind:
        spec = self._hub.engine.database.manifest.functions.get(path)
        return spec.kind if spec is not None else "query"

    def _disclosure(self, caller: Caller) -> Disclosure:
        return WHOLE if caller.admin else self._hub.engine.disclosure

    def _response(self, outcome: Outcome, format_: str, caller: Caller) -> Response:
        failure = outcome.failure
        if failure is not None and failure.overloaded is not None:
            return busy(failure, self._disclosure(caller).message(failure, outcome.request_id))
        return _json(self._result(outcome, format_, caller))

    def _result(self, outcome: Outcome, format_: str, caller: Caller) -> dict[str, Any]:
        disclosure, failure = self._disclosure(caller), outcome.failure
        told = disclosure.lines(outcome.log_lines)
        lines = {"logLines": told} if told else {}
        if failure is None:
            value = _formatted(outcome.value or b"null", format_)
            return {"status": "success", "value": value, **lines}
        message = disclosure.message(failure, outcome.request_id)
        body = {"status": "error", "errorMessage": message}
        if failure.data is not None:
            body["errorData"] = _formatted(failure.data, format_)
        return {**body, **lines}


async def _not_served(request: Request, error: Exception) -> Response:
    """No such route, or another method of one: in the form of all refusals."""
    assert isinstance(error, HTTPException), "only for these it is called"
    path, allowed = request.url.path, (error.headers or {}).get("Allow")
    if error.status_code == 405:
        text = f"{path} does not take {request.method}" + (f", but {allowed}" if allowed else "")
        response = problem(405, "MethodNotAllowed", text)
    elif error.status_code == 404:
        response = problem(404, "NotFound", f"there is nothing at {path}")
    else:
        code = HTTPStatus(error.status_code).phrase.title().replace(" ", "")
        response = problem(error.status_code, code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


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


def _timestamp(body: dict[str, Any]) -> int:
    try:
        return decode_ts(body.get("ts"))
    except ProtocolError:
        text = "the body needs `ts`, a timestamp of /api/query_ts"
        raise BadRequest(400, "BadTimestamp", text) from None


def _arguments(given: Any) -> Any:
    if isinstance(given, list) and len(given) <= 1:
        given = given[0] if given else {}
    if not isinstance(given, dict):
        raise BadRequest(400, "BadJsonBody", "`args` must be an object")
    return values.from_json(given)
