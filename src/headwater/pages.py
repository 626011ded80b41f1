"""What a browser loads: the project's frontend and the one-file client; no CDN.

A frontend without a build step is served as it lies there. One that Vite builds comes from Vite
itself in development, and else from what it has built, in `frontend/dist`.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from headwater.auth import Auth
from headwater.http_api import BadRequest, body_of, problem
from headwater.vite import INSTALL, uses_vite
from headwater.vite_proxy import ViteProxy, notice


def add_pages(
    app: FastAPI, root: Path, auth: Auth, *, dev: bool, vite: ViteProxy | None = None
) -> None:
    """Adds the pages of a project, last, so that the API comes first.

    Args:
        app: the application.
        root: the project's folder; its `frontend/` is served when it holds an `index.html`.
        vite: the way to the project's Vite, where it runs.
        auth: makes tokens for pages.
        dev: give development tokens to pages on this machine.
    """
    app.add_route("/headwater.js", _client, ["GET"])
    if dev:
        app.add_route("/dev/token", _token_route(auth), ["POST"])
    frontend = root / "frontend"
    if vite is not None:
        app.mount("/", vite)
    elif uses_vite(frontend) or (frontend / "dist" / "index.html").is_file():
        app.mount("/", _Built(directory=frontend / "dist", check_dir=False, html=True))
    elif (frontend / "index.html").is_file():
        app.mount("/", _Frontend(directory=frontend, html=True))
    else:
        app.add_route("/", _welcome, ["GET"])


class _Frontend(StaticFiles):
    """The files of a frontend but the hidden ones: `.env`, `.git` are not meant for visitors."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        if any(part.startswith(".") and part != "." for part in Path(path).parts):
            return "", None
        return super().lookup_path(path)


class _Built(_Frontend):
    """What Vite has built. An address without a file is a place in the page, which knows it."""

    async def get_response(self, path: str, scope: Any) -> Response:
        if not (Path(str(self.directory)) / "index.html").is_file():
            return notice("The frontend is not built yet", f"Do this: {INSTALL}, npm run build")
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            api = scope["path"].startswith("/api/")
            if error.status_code != HTTPStatus.NOT_FOUND or "." in Path(path).name or api:
                raise
            response = await super().get_response("index.html", scope)
        # What is in assets/ has its content's hash in its name; the page itself names those.
        hashed = path.startswith("assets/")
        response.headers["Cache-Control"] = _FOR_EVER if hashed else "no-cache"
        return response


_FOR_EVER = "public, max-age=31536000, immutable"
_TOKEN_REQUEST_BYTES = 10_000
_LOOPBACK = ("127.0.0.1", "::1")


async def _client(_request: Request) -> Response:
    source = resources.files("headwater").joinpath("browser/headwater.js").read_bytes()
    return Response(source, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


async def _welcome(_request: Request) -> Response:
    return PlainTextResponse("This Headwater deployment is running.")


def _token_route(auth: Auth) -> Callable[[Request], Awaitable[Response]]:
    async def give_token(request: Request) -> Response:
        """A development token, for pages on this machine only."""
        if request.client is None or request.client.host not in _LOOPBACK:
            return problem(403, "Forbidden", "development tokens are for this machine only")
        try:
            body = orjson.loads(await body_of(request, _TOKEN_REQUEST_BYTES))
        except BadRequest as error:
            return problem(error.status, error.code, error.message)
        except orjson.JSONDecodeError:
            body = None
        subject = body.get("subject") if isinstance(body, dict) else None
        if not isinstance(subject, str) or not 0 < len(subject) <= 100:
            return problem(400, "BadJsonBody", 'the body must be {"subject": "a name"}')
        return Response(
            _token_json(auth.token(subject, name=subject)), media_type="application/json"
        )

    return give_token


def _token_json(token: str) -> bytes:
    return b'{"token":"' + token.encode() + b'"}'
