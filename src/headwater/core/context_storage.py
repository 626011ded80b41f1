"""`ctx.storage`: files, as each kind of function may use them."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol

from headwater.core import files, requests
from headwater.core.driver import Run
from headwater.core.files import FileStore
from headwater.core.schema import Id, Model
from headwater.core.system import StoredFile
from headwater.core.transaction import Transaction
from headwater.errors import InvalidStorageId

_CHUNK_BYTES: Final = 2**18


class FileMetadata(Model):
    """What is known of a file.

    Attributes:
        storage_id: the uuid in its URL.
        sha256: the hash, in hex.
        size: bytes.
        content_type: as its uploader gave it; None when it gave none.
    """

    storage_id: str
    sha256: str
    size: int
    content_type: str | None


@dataclass(frozen=True)
class Blob:
    """A whole file in memory."""

    content: bytes
    content_type: str | None


@dataclass(frozen=True)
class BlobStream:
    """A file to be read in chunks: `async for chunk in stream`."""

    size: int
    content_type: str | None
    _chunks: AsyncIterator[bytes]

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The chunks, once."""
        return self._chunks


class StorageReader:
    """Files in a query: their URLs and what is known of them."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def get_url(self, storage_id: str, /) -> Coroutine[Any, Any, str | None]:
        """The URL of a file, None when there is no such file.

        Raises:
            InvalidStorageId: the text is no storage id.
        """
        return self._run.ask(requests.FileUrl(_id(storage_id, "getUrl")))

    def get_metadata(self, storage_id: str, /) -> Coroutine[Any, Any, FileMetadata | None]:
        """What is known of a file, None when there is no such file.

        Raises:
            InvalidStorageId: the text is no storage id.
        """
        return self._run.ask(requests.FileFacts(_id(storage_id, "getMetadata")), _metadata)


class StorageWriter(StorageReader):
    """Files in a mutation: upload URLs, and deletion with the transaction."""

    def generate_upload_url(self) -> Coroutine[Any, Any, str]:
        """A URL a client may POST one file to; for an hour."""
        return self._run.ask(requests.UploadUrl())

    def delete(self, storage_id: str, /) -> Coroutine[Any, Any, None]:
        """Deletes a file, if this mutation commits.

        Raises:
            FileMissing: there is no such file.
            InvalidStorageId: the text is no storage id.
        """
        return self._run.ask(requests.DeleteFile(_id(storage_id, "delete")))


class FilesRunner(Protocol):
    """What an action reaches files through."""

    @property
    def files(self) -> FileStore:
        """Where the bytes are."""

    async def transact(self, step: Callable[[Transaction], Any]) -> Any:
        """Runs a step in a transaction of its own."""


class ActionStorage:
    """Files in an action: also their content. Each call is a transaction of its own."""

    def __init__(self, runner: FilesRunner) -> None:
        self._runner = runner

    async def generate_upload_url(self) -> str:
        """A URL a client may POST one file to; for an hour."""
        url: str = await self._answer(requests.UploadUrl())
        return url

    async def get_url(self, storage_id: str, /) -> str | None:
        """The URL of a file, None when there is no such file; raises as in a query."""
        url: str | None = await self._answer(requests.FileUrl(_id(storage_id, "getUrl")))
        return url

    async def get_metadata(self, storage_id: str, /) -> FileMetadata | None:
        """What is known of a file, None when there is no such file; raises as in a query."""
        return _metadata(await self._answer(requests.FileFacts(_id(storage_id, "getMetadata"))))

    async def delete(self, storage_id: str, /) -> None:
        """Deletes a file, at once; raises as in a mutation."""
        await self._answer(requests.DeleteFile(_id(storage_id, "delete")))

    async def store(
        self,
        content: bytes | AsyncIterable[bytes],
        /,
        *,
        content_type: str | None = None,
        sha256: str | None = None,
    ) -> Id[StoredFile]:
        """Stores a file and gives its id.

        Args:
            content: bytes, or what `async for` gives chunks of: then it is never whole in memory.
            content_type: such as `image/png`.
            sha256: base64 of the hash it must have.

        Raises:
            FileInvalid: it is too large, or not what was said of it.
            FileStorageFailure: the disk or the object store refused it.
        """
        if isinstance(content, bytes | bytearray | memoryview):
            content = _once(bytes(content))
        return Id(await self._keep(content, content_type, sha256))

    async def get(self, storage_id: str, /) -> Blob | None:
        """A whole file, None when there is no such file.

        Raises:
            InvalidStorageId: the text is no storage id.
            FileStorageFailure: the disk or the object store does not give it.
        """
        stream = await self._open(storage_id, "get")
        if stream is None:
            return None
        return Blob(b"".join([chunk async for chunk in stream]), stream.content_type)

    async def stream(self, storage_id: str, /) -> BlobStream | None:
        """A file to be read in chunks, None when there is no such file; raises as `get`."""
        return await self._open(storage_id, "stream")

    async def _open(self, storage_id: str, operation: str) -> BlobStream | None:
        return await self._opened(_id(storage_id, operation), operation)

    # How it is reached: in this process, or by whoever runs handlers elsewhere.

    async def _keep(
        self, content: AsyncIterable[bytes], content_type: str | None, sha256: str | None
    ) -> str:
        runner = self._runner
        return await files.store(
            runner.files, runner.transact, content, content_type=content_type, sha256=sha256
        )

    async def _opened(self, storage_id: str, operation: str) -> BlobStream | None:
        def step(transaction: Transaction) -> dict[str, Any] | None:
            row = files.find(transaction, storage_id, operation)
            return None if row is None else files.facts(row)

        found = await self._runner.transact(step)
        if found is None:
            return None
        size = int(found["size"])
        try:
            chunks = await self._runner.files.read(found["storageId"], 0, size)
        except FileNotFoundError:  # deleted a moment ago
            return None
        return BlobStream(size, found["contentType"], chunks)

    async def _answer(self, request: Any) -> Any:
        return await self._runner.transact(lambda transaction: transaction.answer(request))


async def _once(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _CHUNK_BYTES):  # to be hashed at once it would take long
        yield content[start : start + _CHUNK_BYTES]


def _metadata(found: dict[str, Any] | None) -> FileMetadata | None:
    return None if found is None else FileMetadata(**{**found, "size": int(found["size"])})


def _id(value: Any, operation: str) -> str:
    if not isinstance(value, str):
        raise InvalidStorageId(
            f"Invalid argument `storageId` for `storage.{operation}`: expected a storage id, "
            f"got {type(value).__name__}"
        )
    return value
