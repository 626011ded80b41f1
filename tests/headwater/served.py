"""A server without a network: its ASGI application, and an engine that answers at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from headwater.core.work import Work
from headwater.hub import Hub
from headwater.loader import load
from headwater.options import ServerOptions
from headwater.server import Server
from headwater.settings import Limits
from tests.headwater.projects import TASKS, write_project


class AtOnce(Hub):
    """A hub whose engine runs each work where it is put."""

    def put(self, work: Work) -> None:
        """Runs it."""
        for output in self.engine.process([work]):
            output.send()


class Served(Server):
    """A project with tasks, or with these modules, served to the test alone."""

    def __init__(
        self,
        root: Path,
        *,
        dev: bool = True,
        modules: dict[str, str] | None = None,
        **limits: Any,
    ) -> None:
        write_project(root, **(modules or {"tasks": TASKS}))
        options = ServerOptions(root, dev=dev, allow_origins=["https://app.example"])
        super().__init__(options, load(root), Limits(**limits))
        self.hub = AtOnce(self.hub.engine)
        self.logs.records = self.hub.recorder.records

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, answered."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.asgi())
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                return await http.request(method, path, **options)

        return asyncio.run(ask())

    def post(self, path: str, body: Any, token: str | None = None, **headers: str) -> Any:
        """A POST with JSON; gives the parsed answer."""
        if token is not None:
            headers["Authorization"] = token
        answer = self.request("POST", path, json=body, headers=headers)
        return answer.json()

    @property
    def admin(self) -> str:
        """The header of whoever holds the admin key."""
        return f"Convex {self.auth.admin_key}"

    def close(self) -> None:
        """Lets the database go."""
        self.environment.undo()
        self.files.blobs.close()
        self.hub.engine.database.storage.close()
