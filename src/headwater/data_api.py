"""Data in and out of a running server, for whoever shows the admin key.

Reading and writing files goes on in threads; the engine does only the steps that need the database.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from headwater.admin_api import admin_only, as_json
from headwater.auth import Auth
from headwater.data import browse
from headwater.data.exporting import export
from headwater.data.files_door import FilesDoor
from headwater.data.importing import MODES, Mode, Summary, import_file
from headwater.data.sources import FORMATS, Source
from headwater.errors import HeadwaterError, ImportRefused, TableMissing
from headwater.files import Files
from headwater.http_api import BadRequest
from headwater.hub import Hub

TABLES: Final = "/api/data/tables"
DOCUMENTS: Final = "/api/data/documents"
EXPORT: Final = "/api/data/export"
IMPORT: Final = "/api/data/import"
DATA_ROUTES: Final = frozenset({TABLES, DOCUMENTS, EXPORT, IMPORT})
_WRITTEN_AT_ONCE: Final = 2**20
_TOLD_EVERY_S: Final = 0.1
_PREFIXES: Final = ("import-", "export-")


class DataApi:
    """The routes.

    Args:
        hub: the engine's.
        auth: knows the admin key.
        files: the deployment's.
        state: the project's `.headwater/` folder, for what lies between.
    """

    def __init__(self, hub: Hub, auth: Auth, files: Files, state: Path) -> None:
        self._hub, self._auth, self._files, self._state = hub, auth, files, state
        self._limits = hub.engine.database.limits
        clear_leftovers(state)

    def add_routes(self, app: FastAPI) -> None:
        """Adds them to an application."""
        app.add_route(TABLES, admin_only(self._auth, self._tables), ["GET"])
        app.add_route(DOCUMENTS, admin_only(self._auth, self._documents), ["GET"])
        app.add_route(EXPORT, admin_only(self._auth, self._export), ["GET"])
        app.add_route(IMPORT, admin_only(self._auth, self._import), ["POST"])

    async def _tables(self, _request: Request) -> Response:
        looks = await asyncio.to_thread(self._hub.ask, browse.tables)
        return as_json({"tables": [asdict(look) for look in looks]})

    async def _documents(self, request: Request) -> Response:
        table = request.query_params.get("table", "")
        limit, newest = _limit(request), request.query_params.get("order") == "desc"
        look = partial(browse.documents, table=table, limit=limit, newest=newest)
        found = await asyncio.to_thread(self._hub.ask, look)
        if found is None:
            raise BadRequest(404, "TableNotFound", TableMissing(table).message)
        lines = b"".join(line + b"\n" for line in found)
        return Response(lines, media_type="application/jsonl", headers=_NO_STORE)

    async def _export(self, request: Request) -> Response:
        wanted = request.query_params.get("includeStorage") == "true"
        files = FilesDoor(self._files, asyncio.get_running_loop()) if wanted else None
        pieces = export(self._hub.engine.database.storage, self._state, files)
        first = await asyncio.to_thread(next, pieces)  # what fails early is still an answer
        disposition = {"Content-Disposition": 'attachment; filename="snapshot.zip"'}
        return StreamingResponse(
            _from(first, pieces), media_type="application/zip", headers=disposition | _NO_STORE
        )

    async def _import(self, request: Request) -> Response:
        query = request.query_params
        format_, mode = query.get("format", ""), query.get("mode", "empty")
        table, name = query.get("table"), query.get("name", "")[:200]
        if format_ not in FORMATS.values() or mode not in MODES:
            formats = ", ".join(FORMATS.values())
            text = f"`format` is one of {formats}, `mode` one of {', '.join(MODES)}"
            raise BadRequest(400, "BadImport", text)
        if table is None and format_ != "zip":
            raise BadRequest(400, "BadImport", f"a {format_} file needs a `table`")
        place = Path(tempfile.mkdtemp(prefix="import-", dir=self._state))
        try:
            await self._receive(request, place / "file")
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, place)
            raise
        events = self._running(place, format_, table, cast("Mode", mode), name or "the file")
        return StreamingResponse(events, media_type="application/jsonl", headers=_NO_STORE)

    async def _receive(self, request: Request, path: Path) -> None:
        """Lays the body on the disk."""
        size, waiting = 0, bytearray()
        with path.open("wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size > self._limits.import_bytes:
                    text = f"the file is larger than {self._limits.import_bytes} bytes"
                    raise BadRequest(413, "RequestTooLarge", text)
                waiting += chunk
                if len(waiting) > _WRITTEN_AT_ONCE:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(file.write, bytes(waiting))

    async def _running(
        self, place: Path, format_: str, table: str | None, mode: Mode, name: str
    ) -> AsyncIterator[bytes]:
        """The import's events, a line each; the last one says how it ended."""
        loop, told, left = asyncio.get_running_loop(), [""], threading.Event()

        def tell(what: str, done: int, total: int) -> None:
            if left.is_set():
                raise ImportRefused(name, "whoever sent it is gone")
            told[0] = what if not done else f"{what}: {done:,}"

        def run() -> Summary:
            source = Source(place / "file", format_, table, self._limits, name)
            try:
                door = FilesDoor(self._files, loop)
                clock = self._hub.engine.database.clock
                return import_file(self._hub.ask, source, mode, place, clock, files=door, tell=tell)
            finally:
                source.close()
                shutil.rmtree(place, ignore_errors=True)

        running = loop.run_in_executor(None, run)
        try:
            while not (await asyncio.wait([running], timeout=_TOLD_EVERY_S))[0]:
                yield _line({"progress": told[0]})
        finally:
            left.set()
        yield _line(_end(running))


def clear_leftovers(state: Path) -> None:
    """Removes what a process that was killed had laid aside; while no other process is at it."""
    for entry in state.iterdir():
        if entry.name.startswith(_PREFIXES) and entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)


_log = logging.getLogger("headwater")
_NO_STORE: Final = {"Cache-Control": "no-store"}


def _end(running: asyncio.Future[Summary]) -> dict[str, Any]:
    try:
        return {"done": asdict(running.result())}
    except HeadwaterError as error:
        return {"error": error.message}
    except Exception as error:
        _log.exception("an import failed; nothing of it was kept")
        return {"error": f"nothing was imported: the server failed ({error}); its log says where"}


def _line(event: dict[str, Any]) -> bytes:
    return orjson.dumps(event) + b"\n"


def _from(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _limit(request: Request) -> int:
    with suppress(ValueError):
        return max(1, min(browse.MOST, int(request.query_params.get("limit", "100"))))
    raise BadRequest(400, "BadLimit", f"`limit` is a number from 1 to {browse.MOST}")
