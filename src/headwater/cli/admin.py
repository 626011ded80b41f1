"""A command's way to the server it is about, with the deployment's admin key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import orjson
import typer

from headwater.deployment import admin_key, authorization, running_url
from headwater.errors import NoServer

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
        self.url = url or running_url(root)

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
        if answer.status_code != 200:
            self._refused(answer)
        return answer.json()

    @contextmanager
    def streaming(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any],
        content: Iterator[bytes] | None = None,
    ) -> Iterator[httpx.Response]:
        """An admin request whose answer is read as it comes.

        Raises:
            NoServer: as for `ask`.
            typer.Exit: as for `ask`.
        """
        import httpx

        if self.url is None:
            raise NoServer("any address known here")
        headers = {"Authorization": authorization(admin_key(self._root))}
        url = f"{self.url}{path}"
        try:
            with httpx.stream(
                method, url, content=content, params=query, headers=headers, timeout=None
            ) as answer:
                if answer.status_code != 200:
                    answer.read()
                    self._refused(answer)
                yield answer
        except httpx.ConnectError:
            raise NoServer(str(self.url)) from None
        except httpx.TransportError as error:
            typer.echo(f"headwater: the server broke off: {error}", err=True)
            raise typer.Exit(1) from None

    def _refused(self, answer: httpx.Response) -> NoReturn:
        if answer.status_code in (401, 403) and not self.elsewhere:
            raise NoServer(str(self.url))  # another project's server has the address by now
        typer.echo(f"headwater: {_problem(answer)}", err=True)
        raise typer.Exit(1)

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
                headers={"Authorization": authorization(admin_key(self._root))},
                timeout=_TIMEOUT_S,
            )
        except httpx.TransportError:
            raise NoServer(str(self.url)) from None


def _problem(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.request.url} answered {answer.status_code}"
