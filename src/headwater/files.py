"""Files of one deployment: the URLs they have, where their bytes are, and what no row names.

A file whose row may not come, or may go, is *unsettled*: while it is being uploaded, and from the
deletion of its row on. Each has an empty mark in a folder; who settles it looks for its row, in a
transaction after the one in doubt, and removes the bytes when there is none. Marks outlive the
process, so the next one settles what a kill left open.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

import jwt

from headwater.auth.dev import kept_secret
from headwater.blobs import Blobs
from headwater.clock import Clock
from headwater.core.files import UUID as UUID_TEXT
from headwater.core.files import NewFile, Transact, by_uuid
from headwater.core.transaction import Transaction
from headwater.errors import HeadwaterError, InvalidUploadToken
from headwater.settings import Limits

PATH: Final = "/api/storage"
UPLOAD_URL_S: Final = 3600  # as Convex
_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "headwater-upload"
_TOKEN_LENGTH: Final = 1000
_AT_ONCE: Final = 100  # looked up in one step, so that the engine is never held long
_KEY_OF_TESTS: Final = "the same for all tests: they repeat themselves"
_log = logging.getLogger("headwater")


class Files:
    """The files of one deployment.

    Args:
        blobs: where their bytes are.
        marks: remembers the unsettled ones.
        secret: signs upload URLs.
        clock: for ids and the expiry of upload URLs.
        limits: how large a file may be.

    Attributes:
        origin: what URLs begin with: the address clients reach this deployment at.
    """

    origin = "http://127.0.0.1:3210"

    def __init__(
        self, blobs: Blobs, marks: Marks, secret: str, clock: Clock, limits: Limits
    ) -> None:
        self.blobs = blobs
        self._marks, self._secret = marks, secret
        self._clock, self._limits = clock, limits
        self._wake: Callable[[], None] = lambda: None

    @classmethod
    def of(cls, state: Path, url: str | None, clock: Clock, limits: Limits) -> Files:
        """The files of a server.

        Args:
            state: the project's `.headwater/` folder.
            url: where the bytes are, such as `s3://bucket/prefix`; None for a folder in `state`.

        Raises:
            FileStorageFailure: that is no place for files.
        """
        blobs = Blobs.at(url, state / "files")
        marks = Marks(state / "files_unsettled")
        return cls(blobs, marks, kept_secret(state / "upload_key"), clock, limits)

    @classmethod
    def in_memory(cls, clock: Clock, limits: Limits) -> Files:
        """The files of a test."""
        return cls(Blobs.in_memory(), Marks(None), _KEY_OF_TESTS, clock, limits)

    # URLs

    def url(self, storage_id: str) -> str:
        """The URL that gives a file."""
        return f"{self.origin}{PATH}/{storage_id}"

    def upload_url(self, now_ms: float) -> str:
        """A URL that takes one file at a time, for an hour."""
        claims = {"aud": _AUDIENCE, "exp": int(now_ms / 1000 + UPLOAD_URL_S)}
        claims["jti"] = self._clock.random_bytes(8).hex()
        token = jwt.encode(claims, self._secret, algorithm=_ALGORITHM)
        return f"{self.origin}{PATH}/upload?{urlencode({'token': token})}"

    def check_token(self, token: str) -> None:
        """Checks the token of an upload URL.

        Raises:
            InvalidUploadToken: it has expired, or this deployment did not make it.
        """
        try:
            claims = jwt.decode(
                token[:_TOKEN_LENGTH],
                self._secret,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                options={"require": ["exp"], "verify_exp": False},
            )
        except (jwt.PyJWTError, RecursionError):
            raise InvalidUploadToken(
                "StorageTokenInvalid", "This upload URL was not made by this deployment."
            ) from None
        if claims["exp"] <= self._clock.now_ns() / 1e9:
            raise InvalidUploadToken("StorageTokenExpired", "This upload URL has expired.")

    # bytes

    @asynccontextmanager
    async def adding(
        self, content: AsyncIterable[bytes], sha256: bytes | None
    ) -> AsyncIterator[NewFile]:
        """Stores bytes; when the context ends and no row names them, they are removed again.

        Args:
            sha256: the hash they must have.

        Raises:
            FileInvalid: they are too many, or have another hash.
            FileStorageFailure: the disk or the object store refused them.
        """
        storage_id = str(UUID(bytes=self._clock.random_bytes(16), version=4))
        self._marks.touch(storage_id)
        try:
            limit = self._limits.file_bytes
            written = await self.blobs.write(storage_id, content, limit, sha256)
            yield NewFile(storage_id, written.size, written.sha256)
        except BaseException:
            # Whether a row was committed may be unknown: who was waiting is gone. It is looked up.
            self.removed(storage_id)
            raise
        self._marks.forget(storage_id)

    async def put(self, storage_id: str, content: AsyncIterable[bytes], sha256: bytes) -> int:
        """Stores bytes under a known uuid; `kept` follows when a row names them, else `removed`.

        Raises:
            FileInvalid: as for `adding`.
            FileStorageFailure: as for `adding`.
        """
        self._marks.touch(storage_id)
        limit = self._limits.file_bytes
        return (await self.blobs.write(storage_id, content, limit, sha256)).size

    def kept(self, storage_id: str) -> None:
        """Told that a row names these bytes."""
        self._marks.forget(storage_id)

    async def read(self, storage_id: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes of a file, from `start` to before `end`.

        Raises:
            FileNotFoundError: there are no such bytes.
            FileStorageFailure: the disk or the object store does not give them.
        """
        return await self.blobs.read(storage_id, start, end)

    # what no row names

    def removed(self, storage_id: str) -> None:
        """Told of a row that goes if its transaction commits; from the engine's thread."""
        self._marks.add(storage_id)
        self._wake()

    async def settle(self, transact: Transact) -> None:
        """Removes the bytes of unsettled files that have no row."""
        unsettled = self._marks.take()
        try:
            while unsettled:
                await self._settle(unsettled[:_AT_ONCE], transact)
                del unsettled[:_AT_ONCE]
        finally:
            self._marks.put_back(unsettled)

    async def _settle(self, storage_ids: list[str], transact: Transact) -> None:
        rows = await transact(lambda transaction: _with_rows(transaction, storage_ids))
        for storage_id in storage_ids:
            if storage_id not in rows:
                await self.blobs.remove(storage_id)
            self._marks.forget(storage_id)

    async def keep_settled(self, transact: Transact) -> None:
        """Settles what the last process left and what comes; on the network's loop, for ever."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is gone: the next process does it
                loop.call_soon_threadsafe(woken.set)

        self._wake = wake
        while True:
            woken.clear()
            try:
                await self.settle(transact)
            except (HeadwaterError, OSError) as error:
                _log.warning("files that nothing names were not removed yet: %s", error)
            await woken.wait()


class Marks:
    """The unsettled files: an empty file for each, and a set of those to be settled now.

    Args:
        folder: holds the marks; None when they may be forgotten with the process.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._names: set[str] = set()
        self._lock = threading.Lock()  # the engine's thread marks, the network's settles
        if folder is not None:
            folder.mkdir(exist_ok=True)
            self._names.update(e.name for e in folder.iterdir() if UUID_TEXT.fullmatch(e.name))

    def touch(self, name: str) -> None:
        """Marks one for the next process, should this one end before it is settled."""
        if self._folder is not None:
            (self._folder / name).touch()

    def add(self, name: str) -> None:
        """Marks one to be settled."""
        with self._lock:
            self._names.add(name)
            self.touch(name)

    def take(self) -> list[str]:
        """Those to be settled; marked again meanwhile, they are to be settled again."""
        with self._lock:
            taken, self._names = list(self._names), set()
        return taken

    def put_back(self, names: list[str]) -> None:
        """Those that were taken and could not be settled."""
        with self._lock:
            self._names.update(names)

    def forget(self, name: str) -> None:
        """Takes the mark off one that is settled."""
        with self._lock:
            if self._folder is not None and name not in self._names:
                (self._folder / name).unlink(missing_ok=True)


def _with_rows(transaction: Transaction, storage_ids: list[str]) -> set[str]:
    return {name for name in storage_ids if by_uuid(transaction, name) is not None}
