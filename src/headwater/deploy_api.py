"""What `headwater deploy` asks of a server: what its new code would meet, and then to serve it.

Only the holder of the admin key may ask. The code is what lies in the server's folder; how it gets
there (an image, git, rsync) is not this module's business, only that it is the same.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from headwater.admin_api import Reply, admin_only, as_json
from headwater.auth import Auth
from headwater.core.manifest import Manifest
from headwater.core.registry import PACKAGE
from headwater.core.work import settle
from headwater.data.preflight import look_ahead
from headwater.environment import Environment
from headwater.errors import HeadwaterError
from headwater.http_api import BadRequest, body_of
from headwater.hub import Hub

PREFLIGHT: Final = "/api/v1/preflight"
ROLL: Final = "/api/v1/roll"
DEPLOY_ROUTES: Final = frozenset({PREFLIGHT, ROLL})

_TELL_S = 1.0
"""How often whoever waits for a roll is told how far it is."""


class DeployApi:
    """The routes of `headwater deploy`.

    Args:
        hub: the engine's.
        auth: knows the admin key.
        root: the project's folder, as the server sees it.
        environment: the deployment's variables.
        reload: loads the backend anew; tells why it did not, or what that waits for.
        body_bytes: how large a request may be.
    """

    def __init__(
        self,
        hub: Hub,
        auth: Auth,
        root: Path,
        environment: Environment,
        reload: Callable[[Reply, Callable[[str], None]], None],
        body_bytes: int,
    ) -> None:
        self._hub, self._auth, self._root = hub, auth, root
        self._environment, self._reload = environment, reload
        self._body_bytes = body_bytes

    def add_routes(self, app: FastAPI) -> None:
        """Adds them to an application."""
        for path, handler in ((PREFLIGHT, self._preflight), (ROLL, self._roll)):
            app.add_route(path, admin_only(self._auth, handler), ["POST"])

    async def _preflight(self, request: Request) -> Response:
        manifest, variables = _asked(await body_of(request, self._body_bytes))
        found = await asyncio.to_thread(look_ahead, self._hub.ask, manifest)
        return as_json(
            {
                "code": await asyncio.to_thread(code_mark, self._root),
                "missingVariables": self._environment.missing(variables),
                **found.to_json(),
            }
        )

    async def _roll(self, _request: Request) -> Response:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.add_done_callback(asyncio.Future.exception)  # nobody may be there to hear it
        self._reload(partial(settle, done, None), lambda _waits: None)
        return StreamingResponse(self._told(done), media_type="application/x-ndjson")

    async def _told(self, done: asyncio.Future[None]) -> AsyncIterator[bytes]:
        """A line a second while it waits, then how it ended; the roll does not need a listener."""
        while not done.done():
            await asyncio.wait([done], timeout=_TELL_S)
            if not done.done():
                yield _line({"waitsFor": self._hub.engine.waits_for})
        error = done.exception()
        if error is None:
            yield _line({"serves": True})
        else:
            text = error.message if isinstance(error, HeadwaterError) else repr(error)
            yield _line({"serves": False, "problem": text})


def code_mark(root: Path) -> str:
    """A short mark of a project's backend: equal marks, equal code."""
    digest = hashlib.sha256()
    for file in sorted((root / PACKAGE).rglob("*.py")):
        content = file.read_bytes().replace(b"\r\n", b"\n")
        digest.update(file.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()[:16]


def _asked(text: bytes) -> tuple[Manifest, list[str]]:
    try:
        body = orjson.loads(text)
        variables = [str(name) for name in body.get("variables", ())]
        return Manifest.from_json(body["manifest"]), variables
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadRequest(
            400, "BadRequest", 'expected {"manifest": {...}, "variables": ["NAME", ...]}'
        ) from None


def _line(data: dict[str, Any]) -> bytes:
    return orjson.dumps(data) + b"\n"
