"""What has changed: which tables were written to, and whether the backend was loaded anew.

For whoever is to be told of it without asking again and again; see `tools_api.py`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

from headwater.core import ids
from headwater.core.engine import Engine
from headwater.core.keys import DOCUMENTS

_WATCHED_S: Final = 60.0
"""How long after somebody asked each commit is looked at; reading ids of many takes a while."""


@dataclass(frozen=True)
class News:
    """What has changed since a cursor.

    Attributes:
        cursor: where to go on.
        tables: those that were written to; every table when nobody had looked for long.
        code: the backend was loaded anew.
    """

    cursor: int
    tables: list[str]
    code: bool

    def __bool__(self) -> bool:
        return bool(self.tables or self.code)


class Changes:
    """The changes of one server.

    Args:
        engine: tells of each commit, on its own thread.

    Attributes:
        epoch: tells this server's life from the next, whose cursors begin anew.
        newest: the newest cursor.
    """

    def __init__(self, engine: Engine) -> None:
        self._database = engine.database
        self.epoch = secrets.token_hex(6)
        self.newest = 0
        self._tables: dict[str, int] = {}
        self._all = self._code = 0
        self._watched_until = 0.0
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        engine.on_commit = self.committed

    def committed(self, keys: Iterable[bytes] | None) -> None:
        """Notes a commit's tables; None for one that may have written to any."""
        self.newest += 1
        if keys is None or monotonic() > self._watched_until:
            self._all = self.newest
        else:
            self._note(keys)
        self._wake()

    def _note(self, keys: Iterable[bytes]) -> None:
        texts = (key[len(DOCUMENTS) :].decode() for key in keys if key.startswith(DOCUMENTS))
        for number in {ids.table_of(text) for text in texts} - {None}:
            name = self._database.catalog.name_of(number or 0)
            if name is not None:
                self._tables[name] = self.newest

    def loaded(self) -> None:
        """Notes that the backend was loaded anew."""
        self.newest += 1
        self._code = self.newest
        self._wake()

    def since(self, cursor: int) -> News:
        """What has changed since a cursor; also keeps looking at commits for a while."""
        self._watched_until = monotonic() + _WATCHED_S
        newest = self.newest
        written = {name for name, number in list(self._tables.items()) if number > cursor}
        if self._all > cursor:
            written |= set(self._database.catalog.tables)
        return News(newest, sorted(written), self._code > cursor)

    async def wait(self, cursor: int, seconds: float) -> None:
        """Waits for something newer than the cursor, so long at most. On the network's loop."""
        waiter = asyncio.get_running_loop(), asyncio.Event()
        self._waiters.add(waiter)
        try:
            if self.newest == cursor:
                with suppress(TimeoutError):
                    await asyncio.wait_for(waiter[1].wait(), seconds)
        finally:
            self._waiters.discard(waiter)

    def _wake(self) -> None:
        for loop, event in tuple(self._waiters):
            with suppress(RuntimeError):  # its loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(event.set)
