"""Records and figures over HTTP, for whoever holds the admin key."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from headwater.admin_api import LOGS, METRICS, admin_only, as_json
from headwater.auth import Auth
from headwater.http_api import BadRequest
from headwater.metrics import Metrics
from headwater.records import Reading, Record
from headwater.server_logs import METRICS_TOKEN, ServerLogs

_LOOK_AGAIN_S: Final = 0.05
_MOST: Final = 1000  # records of one answer
_LONGEST_WAIT_S: Final = 30.0


class LogsApi:
    """The routes of logs and figures."""

    def __init__(self, auth: Auth, logs: ServerLogs, metrics: Metrics) -> None:
        self._auth, self._logs, self._metrics = auth, logs, metrics

    def add_routes(self, app: FastAPI) -> None:
        """Adds them to an application."""
        app.add_route(LOGS, admin_only(self._auth, self._stream), ["GET"])
        guarded = admin_only(self._auth, self._figures)

        async def metrics(request: Request) -> Response:
            scraper = _is_scraper(request.headers.get("authorization", ""))
            return await (self._figures if scraper else guarded)(request)

        app.add_route(METRICS, metrics, ["GET"])

    async def _stream(self, request: Request) -> Response:
        """The records after `cursor`, or the newest; waits for some when there are none yet."""
        given = request.query_params
        limit = _number(given, "limit", 100, _MOST)
        errors = given.get("errors") == "1"
        until = monotonic() + _number(given, "wait", 0, _LONGEST_WAIT_S)
        records = self._logs.records
        if "cursor" not in given or given.get("epoch") != records.epoch:
            reading = await asyncio.to_thread(self._newest, limit, errors)
            return as_json(await asyncio.to_thread(self._told, reading))
        cursor, missed = _number(given, "cursor", 0, 2**53), 0
        while True:
            reading = await asyncio.to_thread(records.since, cursor, limit)
            cursor, missed = reading.cursor, missed + reading.missed
            found = [one for one in reading.records if one.failed or not errors]
            if found or monotonic() > until or self._logs.ending or await request.is_disconnected():
                return as_json(await asyncio.to_thread(self._told, Reading(found, cursor, missed)))
            if cursor == records.newest:
                await asyncio.sleep(_LOOK_AGAIN_S)

    def _newest(self, limit: int, errors: bool) -> Reading:
        records = self._logs.records
        newest = records.newest
        if not errors:
            return records.since(max(0, newest - limit), limit)
        failed: list[Record] = []
        cursor = 0
        while cursor < newest:
            reading = records.since(cursor, _MOST)
            cursor = reading.cursor
            failed = [*failed, *(one for one in reading.records if one.failed)][-limit:]
        return Reading(failed, cursor, 0)

    def _told(self, reading: Reading) -> dict[str, Any]:
        entries = [record.to_json(self._logs.redact) for record in reading.records]
        end = {"newCursor": reading.cursor, "epoch": self._logs.records.epoch}
        return {"entries": entries, "missed": reading.missed, **end}

    async def _figures(self, _request: Request) -> Response:
        text = await asyncio.to_thread(self._metrics.text)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _is_scraper(authorization: str) -> bool:
    """Whether the header shows the token that opens the figures and nothing else."""
    token = os.environ.get(METRICS_TOKEN)
    if not token:
        return False
    return hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())


def _number(given: Mapping[str, str], name: str, default: int, most: float) -> int:
    try:
        number = int(given.get(name, default))
    except ValueError:
        number = -1
    if number < 0:
        raise BadRequest(400, "BadQuery", f"`{name}` must be a whole number, 0 to {most:g}")
    return int(min(number, most))
