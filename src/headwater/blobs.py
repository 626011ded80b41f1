"""Blobs: the bytes of files, under their uuids, in a folder, in memory or in an object store.

A blob is visible only when it is whole: until then it is a temporary file (`<uuid>#1`) or the
unfinished multipart upload of an object store. Memory stays flat: a few parts are held at a time.

The library is called from threads: its own `async` functions can crash a process that exits soon
after one of them (github.com/PyO3/pyo3-async-runtimes/issues/40).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, from_url

from headwater.errors import FileInvalid, FileStorageFailure

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_LOCAL_PART_BYTES: Final = 2**20
_REMOTE_PART_BYTES: Final = 8 * 2**20  # S3 takes 10,000 parts of at least 5 MiB
_READ_BYTES: Final = 256 * 2**10
_PARTS_AT_ONCE: Final = 2
_SHORT_CALLS: Final = 16
_LONG_CALLS: Final = 128  # each waits for somebody who sends a large file
_RETRY: Final[Any] = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_TEMPORARY: Final = re.compile(r"[0-9a-f-]{36}#\d+")

T = TypeVar("T")


@dataclass(frozen=True)
class Written:
    """What was written; `sha256` is the bare hash."""

    size: int
    sha256: bytes


class Blobs:
    """A place for blobs.

    Args:
        store: the library's object store.
        part_bytes: what is written at once; `sys.maxsize` for all, and no threads.
    """

    def __init__(self, store: ObjectStore, part_bytes: int = _LOCAL_PART_BYTES) -> None:
        self._store = store
        self._part_bytes = part_bytes
        prefix = store.prefix if isinstance(store, LocalStore) else None
        self._folder = None if prefix is None else Path(prefix)
        self._short_calls = ThreadPoolExecutor(_SHORT_CALLS, "files")
        self._long_calls = ThreadPoolExecutor(_LONG_CALLS, "uploads")

    @classmethod
    def at(cls, url: str | None, folder: Path) -> Blobs:
        """The blobs of a deployment; what a process that was killed left half written is removed.

        Args:
            url: `s3://bucket/prefix`, `file:///folder` and the like; None for the folder.
            folder: the deployment's own.

        Raises:
            FileStorageFailure: the library knows no such place, or the folder cannot be made.
        """
        try:
            if url is not None and not url.startswith("file:"):
                return cls(from_url(url, retry_config=_RETRY), _REMOTE_PART_BYTES)
            made = LocalStore.from_url(url, mkdir=True) if url else LocalStore(folder, mkdir=True)
            blobs = cls(made)
            blobs.remove_temporary()
        except (BaseError, OSError, ValueError) as error:
            raise FileStorageFailure(f"{url or folder} cannot hold files", error) from None
        return blobs

    @classmethod
    def in_memory(cls) -> Blobs:
        """Blobs of a test."""
        return cls(MemoryStore(), sys.maxsize)

    def close(self) -> None:
        """Lets the threads end that are done."""
        self._short_calls.shutdown(wait=False)
        self._long_calls.shutdown(wait=False)

    def remove_temporary(self) -> None:
        """Removes what was never finished; only while nobody writes."""
        for entry in os.scandir(self._folder) if self._folder is not None else ():
            if _TEMPORARY.fullmatch(entry.name):
                Path(entry.path).unlink(missing_ok=True)

    async def write(
        self, name: str, content: AsyncIterable[bytes], limit_bytes: int, sha256: bytes | None
    ) -> Written:
        """Writes a blob; when this returns it is whole and durable. If it raises, nothing is left.

        Args:
            name: a new one.
            content: what to write.
            limit_bytes: how many bytes it may have.
            sha256: the hash it must have.

        Raises:
            FileInvalid: it has too many bytes, or another hash.
            FileStorageFailure: the place refused it.
            BaseException: what `content` raised.
        """
        hashed = _Hashed(content, limit_bytes, sha256)
        parts = _parts(hashed, self._part_bytes)
        first = await anext(parts, b"")  # raises what the content raises
        try:
            if len(first) < self._part_bytes:  # all of it: no multipart upload, no empty one
                await self._short(obstore.put, self._store, name, first, use_multipart=False)
            else:
                await self._write_parts(name, _before(first, parts))
            if self._folder is not None:
                await self._short(_fsync, self._folder / name, self._folder)
        except (BaseError, OSError) as error:
            if error is hashed.raised:
                raise
            raise FileStorageFailure("the file was not stored", error) from None
        return Written(hashed.size, hashed.hash.digest())

    async def _write_parts(self, name: str, parts: AsyncIterator[bytes]) -> None:
        loop = asyncio.get_running_loop()
        pulled = _Pulled(parts, loop)
        put = partial(
            obstore.put, self._store, name, iter(pulled),
            chunk_size=self._part_bytes, max_concurrency=_PARTS_AT_ONCE,
        )  # fmt: skip
        writing = loop.run_in_executor(self._long_calls, put)
        try:
            await asyncio.shield(writing)
        except BaseException:
            pulled.stop()
            await asyncio.wait([writing])  # it removes what it has written
            raise

    async def _short(self, function: Callable[..., T], /, *args: Any, **options: Any) -> T:
        call = partial(function, *args, **options)
        if self._part_bytes == sys.maxsize:  # nothing here takes long enough for a thread
            return call()
        return await asyncio.get_running_loop().run_in_executor(self._short_calls, call)

    async def read(self, name: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `end`, in chunks.

        Raises:
            FileNotFoundError: there is no such blob.
            FileStorageFailure: the place does not give it; also from the chunks.
        """
        if start >= end:
            return self._chunks(iter(()))
        options: Any = {"range": (start, end)}
        try:
            found = await self._short(obstore.get, self._store, name, options=options)
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as error:
            raise FileStorageFailure("the file cannot be read", error) from None
        return self._chunks(iter(found.stream(min_chunk_size=_READ_BYTES)))

    async def _chunks(self, chunks: Iterator[Any]) -> AsyncIterator[bytes]:
        try:
            while chunk := await self._short(next, chunks, b""):
                yield bytes(chunk)
        except (BaseError, OSError) as error:
            raise FileStorageFailure("the file cannot be read", error) from None

    async def remove(self, name: str) -> None:
        """Removes a blob; one that is gone already is no error.

        Raises:
            FileStorageFailure: the place refused it.
        """
        try:
            with suppress(FileNotFoundError):
                await self._short(obstore.delete, self._store, name)
        except (BaseError, OSError) as error:
            raise FileStorageFailure("the file was not removed", error) from None


class _Pulled:
    """Parts that a thread takes from the loop that reads them, one at a time."""

    def __init__(self, parts: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._parts, self._loop = parts, loop
        self._pull: Future[bytes] | None = None
        self._stopped = False

    def __iter__(self) -> Iterator[bytes]:
        """The parts, for the thread."""
        while part := self._next():
            yield part

    def _next(self) -> bytes:
        self._pull = asyncio.run_coroutine_threadsafe(self._read(), self._loop)
        if self._stopped:
            self._pull.cancel()
        return self._pull.result()

    async def _read(self) -> bytes:
        return await anext(self._parts, b"")

    def stop(self) -> None:
        """Lets the thread's wait for the next part fail."""
        self._stopped = True
        if self._pull is not None:
            self._pull.cancel()


class _Hashed:
    """Content on its way: counted, hashed and checked, and what it raised remembered."""

    def __init__(
        self, content: AsyncIterable[bytes], limit_bytes: int, sha256: bytes | None
    ) -> None:
        self._content, self._limit_bytes, self._sha256 = content, limit_bytes, sha256
        self.hash = hashlib.sha256()
        self.size = 0
        self.raised: BaseException | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The content as it comes."""
        try:
            async for chunk in self._content:
                self.hash.update(chunk)
                self.size += len(chunk)
                if self.size > self._limit_bytes:
                    raise too_large(self._limit_bytes)
                yield chunk
            self._check_hash()  # before the end is told: so it never becomes visible
        except BaseException as error:
            self.raised = error
            raise

    def _check_hash(self) -> None:
        if self._sha256 is not None and self.hash.digest() != self._sha256:
            found = base64.b64encode(self.hash.digest()).decode()
            raise FileInvalid(
                "DigestMismatch", f"The content has the SHA-256 {found}, not the one it came with."
            )


def too_large(limit_bytes: int) -> FileInvalid:
    """The refusal of a file that is larger than the limit."""
    text = f"A file may have {limit_bytes} bytes (HEADWATER_FILE_BYTES); this one has more."
    return FileInvalid("FileTooLarge", text, 413)


async def _parts(chunks: AsyncIterable[bytes], part_bytes: int) -> AsyncIterator[bytes]:
    """The same bytes in parts of this size; only the last one may be smaller."""
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        while len(waiting) >= part_bytes:
            yield bytes(memoryview(waiting)[:part_bytes])
            del waiting[:part_bytes]
    if waiting:
        yield bytes(waiting)


async def _before(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


def _fsync(file: Path, folder: Path) -> None:
    """Puts a file and its entry in the folder on the disk itself."""
    _fsync_one(file, os.O_RDWR)
    if os.name != "nt":  # Windows writes the entry with the file
        _fsync_one(folder, os.O_RDONLY)


def _fsync_one(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
