"""HTTP routes in tests: a request to `backend/routes.py` without a server or a socket."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from headwater.core.actions import ActionHost
from headwater.core.calls import Outcome
from headwater.core.failures import WHOLE
from headwater.errors import HeadwaterError
from headwater.route_call import RouteCall, Visitor

_BASE = "http://testserver"


def answer_to(
    host: ActionHost,
    identity: dict[str, Any] | None,
    method: str,
    path: str,
    options: dict[str, Any],
) -> tuple[Outcome, httpx.Response]:
    """How a request's handler ended, and what it answered.

    Args:
        host: runs what the handler calls.
        identity: the caller's, as plain data.
        method: such as `POST`.
        path: such as `/hooks/payments`.
        options: httpx's own.

    Raises:
        HeadwaterError: the backend has no `routes.py`.
    """
    placement: Any = host.calls.placement
    site = placement.site
    if site is None:
        raise HeadwaterError("this backend has no HTTP routes; declare them in backend/routes.py")
    calls: list[RouteCall] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        call = RouteCall(host, site, Visitor(identity), WHOLE, receive, send)
        calls.append(call)
        if not await call.run(scope):
            raise HeadwaterError(f"the answer to {method} {path} broke off")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=_BASE) as client:
            return await client.request(method, path, **options)

    answer = asyncio.run(ask())
    return calls[-1].outcome, answer
