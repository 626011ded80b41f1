"""A command's way to the server it is about, with the deployment's admin key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import typer

from headwater.errors import NoServer
from headwater.settings import STATE

if TYPE_CHECKING:
    import httpx

_TIMEOUT_S = 60.0  # a change of variables loads the backend anew


class Deployment:
    """The server of a project, or one at another address.

    Args:
        root: the project's folder.
        url: the server; without, the one that the project's folder says is running.
    """

    def __init__(self, root: Path, url: str | None = None) -> None:
        self._root = root
        self.elsewhere = url is not None
        self.url = url or _running(root)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        """An admin request; gives the parsed answer.

        Raises:
            NoServer: none of this deployment answers there.
            typer.Exit: the server refused it, which is told; exit code 1.
        """
        if self.url is None:
            raise NoServer("any address known here")
        answer = self._answer(method, path, query, body)
        if answer.status_code in (401, 403) and not self.elsewhere:
            raise NoServer(self.url)  # another project's server has the address by now
        if answer.status_code != 200:
            typer.echo(f"headwater: {_problem(answer)}", err=True)
            raise typer.Exit(1)
        return answer.json()

    def _answer(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: Any
    ) -> httpx.Response:
        import httpx

        content = None if body is None else orjson.dumps(body)
        try:
            return httpx.request(
                method,
                f"{self.url}{path}",
                params=query,
                content=content,
                headers={"Authorization": f"Convex {_admin_key(self._root)}"},
                timeout=_TIMEOUT_S,
            )
        except httpx.TransportError:
            raise NoServer(str(self.url)) from None


def _running(root: Path) -> str | None:
    try:
        return str(orjson.loads((root / STATE / "server.json").read_bytes())["url"])
    except (OSError, ValueError, KeyError, TypeError):  # none, or not what a server writes
        return None


def _admin_key(root: Path) -> str:
    preset = os.environ.get("HEADWATER_ADMIN_KEY")
    try:
        return preset or (root / STATE / "admin_key").read_text().strip()
    except OSError:
        return "none"  # no server has run here yet


def _problem(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.request.url} answered {answer.status_code}"
