"""Who reads a resource and wants to know when it changes is told.

The running server tells of tables and of code, files of the project of the rest. While nobody
listens, nothing is asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ServerEvent
from watchfiles import awatch

from headwater.mcp.older import OlderListeners
from headwater.mcp.resources import FUNCTIONS, SCHEMA, TABLES
from headwater.mcp.toolbox import Toolbox
from headwater.settings import STATE

_WAIT_S = 20
_AGAIN_S = 1.0
"""Until a server is looked for again, when there is none."""


class Bus(InMemorySubscriptionBus):
    """Carries the news to whoever listens, and knows whether anybody does.

    Attributes:
        older: clients from before 2026, which subscribe in another way.
    """

    def __init__(self) -> None:
        super().__init__()
        self._listened = anyio.Event()
        self.older = OlderListeners(self._listened.set)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Takes a listener."""
        self._listened.set()
        return super().subscribe(listener)

    async def listened(self) -> None:
        """Waits for the first listener."""
        await self._listened.wait()

    async def tell(self, uris: Iterable[str]) -> None:
        """Says that resources have changed."""
        for uri in uris:
            await self.publish(ResourceUpdated(uri=uri))
            await self.older.tell(uri)


@asynccontextmanager
async def telling(toolbox: Toolbox, bus: Bus) -> AsyncIterator[None]:
    """Tells of changes as long as it is open."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_tell_of_server, toolbox, bus)
        tasks.start_soon(_tell_of_files, toolbox, bus)
        yield
        tasks.cancel_scope.cancel()


async def _tell_of_server(toolbox: Toolbox, bus: Bus) -> None:
    await bus.listened()
    place: dict[str, Any] = {}
    while True:
        try:
            news = await toolbox.link.ask("GET", "/api/v1/changes", query=place)
        except ToolError:
            await anyio.sleep(_AGAIN_S)
            continue
        if place:
            await bus.tell(_uris(news))
        place = {"cursor": news["cursor"], "epoch": news["epoch"], "wait": _WAIT_S}


def _uris(news: Mapping[str, Any]) -> list[str]:
    """The resources that are others now; the schema tells how many documents there are, too."""
    tables = [f"{TABLES}{name}" for name in news["tables"]]
    return tables + ([SCHEMA, FUNCTIONS] if news["code"] else [SCHEMA] if tables else [])


async def _tell_of_files(toolbox: Toolbox, bus: Bus) -> None:
    state = toolbox.root / STATE
    await bus.listened()
    while not state.is_dir():
        await anyio.sleep(_AGAIN_S)
    async for changes in awatch(state, recursive=False, rust_timeout=1000):
        changed = {path.rpartition("/")[2].rpartition("\\")[2] for _, path in changes}
        await bus.tell(uri for uri, names in toolbox.watched.items() if changed & set(names))
