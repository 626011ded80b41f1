"""Resources that clients from before 2026 subscribed to: they are told on their own connection.

None -> subscribed (`resources/subscribe`) -> gone (`resources/unsubscribe`, or its connection is).
Newer clients listen on a stream, which the SDK serves from the same bus.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import anyio
from mcp.server import MCPServer, ServerRequestContext
from mcp.server.session import ServerSession
from mcp_types import EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

_SESSION_HEADER = "mcp-session-id"


class OlderListeners:
    """Who wants to know of which resource, by connection.

    Args:
        begun: called when somebody listens.
    """

    def __init__(self, begun: Callable[[], None]) -> None:
        self._begun = begun
        self._wanted: dict[str, dict[str, ServerSession]] = defaultdict(dict)

    def serve(self, server: MCPServer[Any]) -> None:
        """Answers the two requests, which the SDK's own server no longer does."""
        low = server._lowlevel_server  # what the SDK's docs name for methods that 2026 removed
        low.add_request_handler("resources/subscribe", SubscribeRequestParams, self._subscribe)
        low.add_request_handler(
            "resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe
        )

    async def tell(self, uri: str) -> None:
        """Says that a resource has changed; a connection that is gone is forgotten."""
        for connection, wanted in list(self._wanted.items()):
            if uri in wanted:
                try:
                    await wanted[uri].send_resource_updated(uri)
                except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                    self._wanted.pop(connection, None)

    async def _subscribe(
        self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams
    ) -> EmptyResult:
        self._wanted[_connection(ctx)][str(params.uri)] = ctx.session
        self._begun()
        return EmptyResult()

    async def _unsubscribe(
        self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams
    ) -> EmptyResult:
        self._wanted[_connection(ctx)].pop(str(params.uri), None)
        return EmptyResult()


def _connection(ctx: ServerRequestContext[Any, Any]) -> str:
    """A name for the connection: that of its HTTP session; on standard input there is one."""
    return "" if ctx.request is None else str(ctx.request.headers.get(_SESSION_HEADER, ""))
