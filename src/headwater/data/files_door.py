"""The bytes of stored files, for a thread that is not the network's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, Final, TypeVar

from headwater.files import Files

T = TypeVar("T")

_READ_BYTES: Final = 2**18


class FilesDoor:
    """Reads and writes files through the loop they belong to, and waits for it.

    Args:
        files: the deployment's.
        loop: runs in another thread.
    """

    def __init__(self, files: Files, loop: asyncio.AbstractEventLoop) -> None:
        self._files, self._loop = files, loop

    def read(self, storage_id: str, size: int) -> Iterator[bytes]:
        """The bytes of a file, in chunks.

        Raises:
            FileNotFoundError: there are none.
            FileStorageFailure: the place does not give them.
        """
        chunks = self._wait(self._files.read(storage_id, 0, size))

        async def next_one() -> bytes:
            return await anext(chunks, b"")

        while chunk := self._wait(next_one()):
            yield chunk

    def write(self, storage_id: str, content: IO[bytes], sha256: bytes) -> None:
        """Stores bytes under a uuid; `kept` or `removed` must follow.

        Raises:
            FileInvalid: they have another hash.
            FileStorageFailure: the place refused them.
        """

        async def chunks() -> AsyncIterator[bytes]:
            while chunk := await asyncio.to_thread(content.read, _READ_BYTES):
                yield chunk

        self._wait(self._files.put(storage_id, chunks(), sha256))

    def kept(self, storage_id: str) -> None:
        """A row names what was written."""
        self._files.kept(storage_id)

    def removed(self, storage_id: str) -> None:
        """No row names what was written; it is looked up, and the bytes removed."""
        self._files.removed(storage_id)

    def _wait(self, step: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(step, self._loop).result()


@contextmanager
def loop_of_its_own() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop in a thread, for a command that runs without a server."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        with suppress(RuntimeError):
            loop.close()
