"""What only the holder of the admin key may ask of a server: its variables, its logs, its figures.

No page of another origin may call these, whatever it shows: server.py gives them no CORS.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from headwater.auth import Auth
from headwater.core.work import settle
from headwater.environment import Environment
from headwater.errors import HeadwaterError, InvalidToken, VariableInvalid
from headwater.http_api import BadRequest, body_of, problem

LIST_VARIABLES: Final = "/api/v1/list_environment_variables"
UPDATE_VARIABLES: Final = "/api/update_environment_variables"
LOGS: Final = "/api/stream_function_logs"
METRICS: Final = "/metrics"
ADMIN_ROUTES: Final = frozenset(
    {
        LIST_VARIABLES,
        UPDATE_VARIABLES,
        "/api/v1/update_environment_variables",
        LOGS,
        METRICS,
    }
)

Reply = Callable[[BaseException | None], None]
Handler = Callable[[Request], Awaitable[Response]]


class AdminApi:
    """The admin routes.

    Args:
        auth: knows the admin key.
        environment: the deployment's variables.
        reload: loads the backend anew and tells why it did not, or what that waits for.
        body_bytes: how large a request may be.
    """

    def __init__(
        self,
        auth: Auth,
        environment: Environment,
        reload: Callable[[Reply, Callable[[str], None]], None],
        body_bytes: int,
    ) -> None:
        self._auth = auth
        self._environment = environment
        self._reload = reload
        self._body_bytes = body_bytes

    def add_routes(self, app: FastAPI) -> None:
        """Adds them to an application."""
        app.add_route(LIST_VARIABLES, admin_only(self._auth, self._list_variables), ["GET"])
        for path in (UPDATE_VARIABLES, f"/api/v1/{UPDATE_VARIABLES.removeprefix('/api/')}"):
            app.add_route(path, admin_only(self._auth, self._update_variables), ["POST"])

    async def _list_variables(self, _request: Request) -> Response:
        return as_json({"environmentVariables": self._environment.variables.read()})

    async def _update_variables(self, request: Request) -> Response:
        changes = _changes(await body_of(request, self._body_bytes))
        try:
            await asyncio.to_thread(self._environment.variables.change, changes)
        except VariableInvalid as error:
            raise BadRequest(400, "EnvironmentVariableInvalid", error.message) from None
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._reload(
            lambda error: settle(future, "", error), lambda what: settle(future, what, None)
        )
        try:
            waits_for = await future
        except HeadwaterError as error:
            return as_json({"reloaded": False, "problem": error.message})
        return as_json({"reloaded": True, **({"waitsFor": waits_for} if waits_for else {})})


def admin_only(auth: Auth, handler: Handler) -> Handler:
    """The handler for whoever shows the admin key; others are refused."""

    async def answer(request: Request) -> Response:
        try:
            caller = await auth.caller(request.headers.get("authorization"))
            if not caller.admin:
                raise BadRequest(403, "Forbidden", f"{request.url.path} needs the admin key")
            return await handler(request)
        except InvalidToken as error:
            return problem(401, "Unauthenticated", error.message)
        except BadRequest as error:
            return problem(error.status, error.code, error.message)

    return answer


def as_json(body: Any) -> Response:
    """An answer that no cache keeps: it may hold secrets."""
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(body), media_type="application/json", headers=headers)


def _changes(text: bytes) -> dict[str, str | None]:
    """`{"changes": [{"name": ..., "value": ...}]}`; no value, or null, removes a variable."""
    try:
        listed = orjson.loads(text)["changes"]
        changes = {change["name"]: change.get("value") for change in listed}
    except (ValueError, KeyError, TypeError, AttributeError):
        changes = {"": 0}
    if not all(isinstance(n, str) and isinstance(v, str | None) for n, v in changes.items()):
        shape = '{"changes": [{"name": "NAME", "value": "a text, or null to remove it"}]}'
        raise BadRequest(400, "BadJsonBody", f"the body must be {shape}")
    return changes
