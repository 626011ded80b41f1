"""Files over HTTP: uploads to signed URLs, downloads by uuid with ranges."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson
from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from headwater.blobs import too_large
from headwater.core import files as core_files
from headwater.core.files import UUID
from headwater.core.transaction import Transaction
from headwater.errors import (
    FileInvalid,
    FileStorageFailure,
    InvalidUploadToken,
    StorageFailure,
)
from headwater.files import PATH, Files
from headwater.http_api import problem
from headwater.settings import Limits

_RANGE: Final = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*")
_DIGEST: Final = re.compile(r"sha-256=([A-Za-z0-9+/=]+)", re.IGNORECASE)
_PDF: Final = "application/pdf"  # browsers' own viewers do not open it in a sandbox
_SANDBOX: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'"
)
_log = logging.getLogger("headwater")


class Transacts(Protocol):
    """What runs steps in transactions, on the network's loop: the hub."""

    async def transact(self, step: Callable[[Transaction], Any]) -> Any:
        """Runs a step and gives its result once that is durable."""


class FileRoutes:
    """The routes of files.

    Args:
        hub: runs the transactions about them.
        files: the deployment's.
        limits: of uploads.
    """

    def __init__(self, hub: Transacts, files: Files, limits: Limits) -> None:
        self._hub, self._files, self._limits = hub, files, limits
        self._uploads = 0

    def add_routes(self, app: FastAPI) -> None:
        """Adds them to an application."""
        app.add_route(f"{PATH}/upload", _answered(self._upload), ["POST"])
        app.add_route(f"{PATH}/{{name:path}}", _answered(self._download), ["GET", "HEAD"])

    # uploads

    async def _upload(self, request: Request) -> Response:
        self._files.check_token(request.query_params.get("token", ""))
        if self._uploads >= self._limits.uploads_at_once:
            text = f"{self._uploads} files are being uploaded; try again in a moment"
            return problem(503, "TooManyConcurrentUploads", text)
        self._uploads += 1
        try:
            stored = await self._store(request)
        finally:
            self._uploads -= 1
        return Response(orjson.dumps({"storageId": stored}), media_type="application/json")

    async def _store(self, request: Request) -> str:
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._limits.file_bytes:
            raise too_large(self._limits.file_bytes)
        return await core_files.store(
            self._files,
            self._hub.transact,
            _body(request, self._limits.upload_idle_s),
            content_type=request.headers.get("content-type"),
            sha256=_digest(request.headers.get("digest")),
        )

    # downloads

    async def _download(self, request: Request) -> Response:
        name = request.path_params["name"]
        if not UUID.fullmatch(name):  # nothing else ever comes near a file's name
            return _missing()
        found = await self._hub.transact(lambda transaction: _facts(transaction, name))
        if found is None:
            return _missing()
        return await self._answer(request, _Found(**found))

    async def _answer(self, request: Request, found: _Found) -> Response:
        headers = found.headers()
        if _matches(request.headers.get("if-none-match"), found.etag):
            return Response(status_code=304, headers=headers)
        start, end, status = 0, found.size, 200
        wanted = request.headers.get("range")
        if wanted is not None and request.headers.get("if-range", found.etag) == found.etag:
            part = byte_range(wanted, found.size)
            if part is None:
                return _unsatisfiable(found.size)
            if part != (0, -1):
                (start, end), status = part, 206
                headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
        headers["Content-Length"] = str(end - start)
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        chunks = await self._files.read(found.storage_id, start, end)
        return StreamingResponse(_whole(chunks, found.storage_id), status, headers)


@dataclass(frozen=True)
class _Found:
    """A file to be given."""

    storage_id: str
    size: int
    sha256: bytes
    content_type: str

    @property
    def etag(self) -> str:
        return f'"{self.sha256.hex()}"'

    def headers(self) -> dict[str, str]:
        """Those of every answer. It is somebody's upload, on the API's own origin: it may not run
        scripts there, nor be taken for what it does not say it is.
        """
        headers = {
            "Content-Type": self.content_type,
            "Digest": f"sha-256={base64.b64encode(self.sha256).decode()}",
            "ETag": self.etag,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, max-age=2592000",
            "X-Content-Type-Options": "nosniff",
            "Access-Control-Expose-Headers": "Accept-Ranges, Content-Range, Digest, ETag",
        }
        if self.content_type != _PDF:
            headers["Content-Security-Policy"] = _SANDBOX
        return headers


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """The part of a file that a Range header asks for.

    Returns:
        The first byte and the one after the last; (0, -1) for a header that means nothing, and so
        for the whole file; None for what cannot be given: several ranges, or none of the bytes.
    """
    if header.startswith("bytes=") and "," in header:
        return None
    found = _RANGE.fullmatch(header)
    if found is None or found[1] == found[2] == "":
        return 0, -1
    if found[1] == "":
        start, end = max(0, size - int(found[2])), size
    else:
        start = int(found[1])
        end = min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < start:
            return 0, -1
    return (start, end) if start < end else None


def _answered(
    handler: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except InvalidUploadToken as error:
            return problem(401, error.code, error.message)
        except FileInvalid as error:
            return problem(error.status, error.code, error.message)
        except FileNotFoundError:
            return _missing()
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except (FileStorageFailure, StorageFailure) as error:
            _log.error("a file could not be served: %s", error.message)
            return problem(503, "FileStorageUnavailable", "The file storage failed; try again.")

    return answer


async def _body(request: Request, idle_s: float) -> AsyncIterator[bytes]:
    """What the client sends; given up when it sends nothing for too long."""
    chunks = request.stream()
    while True:
        try:
            async with asyncio.timeout(idle_s):
                chunk = await anext(chunks, None)
        except TimeoutError:
            text = f"The upload sent nothing for {idle_s:g} s and was given up."
            raise FileInvalid("UploadTimedOut", text, 408) from None
        if chunk is None:
            return
        if chunk:
            yield chunk


async def _whole(chunks: AsyncIterator[bytes], storage_id: str) -> AsyncIterator[bytes]:
    """The chunks; a failure in the middle is told by cutting the connection, so say why here."""
    try:
        async for chunk in chunks:
            yield chunk
    except Exception as error:
        _log.error("the download of %s broke off: %s", storage_id, error)
        raise


def _digest(header: str | None) -> str | None:
    if header is None:
        return None
    found = _DIGEST.fullmatch(header.strip())
    if found is None:
        raise FileInvalid("BadDigest", "The Digest header must be `sha-256=` and base64.")
    return found[1]


def _facts(transaction: Transaction, uuid: str) -> dict[str, Any] | None:
    row = core_files.by_uuid(transaction, uuid)
    if row is None:
        return None
    return {
        "storage_id": uuid,
        "size": int(row.fields["size"]),
        "sha256": base64.b64decode(row.fields["sha256"]),
        "content_type": row.fields.get("contentType", "application/octet-stream"),
    }


def _matches(header: str | None, etag: str) -> bool:
    return header is not None and (
        header.strip() == "*"
        or etag in [tag.strip().removeprefix("W/") for tag in header.split(",")]
    )


def _missing() -> Response:
    return problem(404, "FileNotFound", "There is no such file.")


def _unsatisfiable(size: int) -> Response:
    response = problem(416, "RangeNotSatisfiable", "One range of the file's bytes can be given.")
    response.headers["Content-Range"] = f"bytes */{size}"
    return response
