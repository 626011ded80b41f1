"""The way to the project's running server; what goes wrong is said as a tool's error."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from mcp.server.mcpserver.exceptions import ToolError

from headwater.deployment import admin_key, authorization, running_url
from headwater.errors import NoServer
from headwater.follow import Followed

_TIMEOUT_S = 60.0


class Link:
    """A project and its server, which may be started, stopped and moved meanwhile.

    Args:
        root: the project's folder.
        given: the server; without, the one that the project's folder says is running.

    Attributes:
        root: the project's folder.
    """

    def __init__(self, root: Path, given: str | None = None) -> None:
        self.root = root
        self._given = given

    @property
    def url(self) -> str:
        """Where the server is now.

        Raises:
            ToolError: the project has none.
        """
        url = self._given or running_url(self.root)
        if url is None:
            raise ToolError(NoServer("any address known here").message)
        return url.rstrip("/")

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        subject: str | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> Any:
        """An admin request; gives the parsed answer.

        Args:
            method: of HTTP.
            path: of the request.
            query: parameters.
            body: sent as JSON.
            subject: whom functions take for their caller.
            timeout_s: how long the answer may take.

        Raises:
            ToolError: no server answers, or it refuses; says which, and how to mend it.
        """
        url = self.url
        headers = {"Authorization": authorization(admin_key(self.root), subject)}
        content = None if body is None else orjson.dumps(body)
        try:
            async with httpx.AsyncClient(timeout=timeout_s, trust_env=False) as http:
                answer = await http.request(
                    method, url + path, params=query, content=content, headers=headers
                )
        except httpx.TimeoutException:
            raise ToolError(f"the server did not answer within {timeout_s:g} s") from None
        except httpx.TransportError:
            raise ToolError(NoServer(url).message) from None
        if answer.status_code != 200:
            raise ToolError(self._problem(answer, url))
        return answer.json()

    def followed(self, path: str, arguments: Mapping[str, Any], subject: str | None) -> Followed:
        """A query to follow on this server."""
        return Followed(self.url, admin_key(self.root), path, arguments, subject)

    def _problem(self, answer: httpx.Response, url: str) -> str:
        if answer.status_code in (401, 403) and self._given is None:
            return NoServer(url).message  # another project's server has the address by now
        try:
            return str(answer.json()["message"])
        except (ValueError, KeyError, TypeError):
            return f"{answer.request.url} answered {answer.status_code}"


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    name = urlsplit(url).hostname or ""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
