"""Files: a row in `_storage` for each, which the runtime writes; the bytes lie in a file store.

First the bytes are durable, then the row commits; a row goes with its transaction, the bytes after
it. So a row never names bytes that are not there, whenever the process ends.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from headwater.core import requests
from headwater.errors import FileInvalid, FileMissing, FilesUnavailable, InvalidStorageId

if TYPE_CHECKING:
    from headwater.core.documents import Stored
    from headwater.core.transaction import Transaction

TABLE: Final = "_storage"
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CONTENT_TYPE: Final = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+([ \t]*;[\t -~]*)?", re.ASCII)
_CONTENT_TYPE_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file whose bytes are durable and which has no row yet; `sha256` is the bare hash."""

    storage_id: str
    size: int
    sha256: bytes


class FileStore(Protocol):
    """Where the bytes of files are, as functions and transactions see it."""

    def upload_url(self, now_ms: float) -> str:
        """A URL that takes one file at a time, for an hour."""

    def url(self, storage_id: str) -> str:
        """The URL that gives a file."""

    def adding(
        self, content: AsyncIterable[bytes], sha256: bytes | None
    ) -> AbstractAsyncContextManager[NewFile]:
        """Stores bytes; without a row at the end of the context they are removed again."""

    async def read(self, storage_id: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes of a file, from `start` to before `end`."""

    def removed(self, storage_id: str) -> None:
        """Told of a row that goes if its transaction commits."""


class NoFiles:
    """Where no files are kept: all it does is to say so."""

    def __getattr__(self, _name: str) -> Any:
        raise FilesUnavailable


# Steps of a transaction


def upload_url(transaction: Transaction, _request: requests.UploadUrl) -> str:
    """A signed URL to send one file to."""
    transaction.check_writable()
    return transaction.database.files.upload_url(transaction.now_ms)


def url(transaction: Transaction, request: requests.FileUrl) -> str | None:
    """The URL of a file, None when there is no such file."""
    row = find(transaction, request.id, "getUrl")
    return None if row is None else transaction.database.files.url(row.fields["storageId"])


def metadata(transaction: Transaction, request: requests.FileFacts) -> dict[str, Any] | None:
    """What is known of a file, under wire names; None when there is no such file."""
    row = find(transaction, request.id, "getMetadata")
    return None if row is None else facts(row)


def delete(transaction: Transaction, request: requests.DeleteFile) -> None:
    """Removes the row of a file; its bytes follow when that is durable.

    Raises:
        FileMissing: there is no such file.
    """
    transaction.check_writable()
    row = find(transaction, request.id, "delete")
    if row is None:
        raise FileMissing(request.id)
    transaction.system_delete(row)
    transaction.database.files.removed(row.fields["storageId"])


def find(transaction: Transaction, storage_id: str, operation: str) -> Stored | None:
    """The row of a file, by its id or its uuid.

    Raises:
        InvalidStorageId: the text is neither.
    """
    if UUID.fullmatch(storage_id):
        return by_uuid(transaction, storage_id)
    table = transaction.database.catalog.table_of(storage_id)
    if table != TABLE:
        what = "it is no storage id" if table is None else f"it is an id of table `{table}`"
        raise InvalidStorageId(
            f"Invalid argument `storageId` for `storage.{operation}`: {storage_id[:80]!r}: {what}"
        )
    return transaction.system_get(storage_id)


def by_uuid(transaction: Transaction, uuid: str) -> Stored | None:
    """The row of the file with this uuid."""
    equal: list[tuple[str, Any]] = [("storageId", uuid)]
    found = transaction.system_scan(requests.Range(TABLE, "by_storage_id", equal), 1)
    return found[0] if found else None


def facts(row: Stored) -> dict[str, Any]:
    """A row as `FileMetadata` has it, under wire names."""
    fields = row.fields
    return {
        "storageId": fields["storageId"],
        "sha256": base64.b64decode(fields["sha256"]).hex(),
        "size": fields["size"],
        "contentType": fields.get("contentType"),
    }


# Storing

Transact = Callable[[Callable[["Transaction"], Any]], Awaitable[Any]]
"""Runs a step in a transaction and gives its result once that is durable."""


async def store(
    files: FileStore,
    transact: Transact,
    content: AsyncIterable[bytes],
    *,
    content_type: str | None = None,
    sha256: str | None = None,
) -> str:
    """Stores a file and gives its id.

    Args:
        sha256: base64 of the hash it must have.

    Raises:
        FileInvalid: it is too large, or not what was said of it.
        FileStorageFailure, StorageFailure: it was not stored.
    """
    fields: dict[str, Any] = {}
    if content_type is not None:
        fields["contentType"] = _checked_type(content_type)
    async with files.adding(content, None if sha256 is None else _decoded(sha256)) as new:
        fields["storageId"] = new.storage_id
        fields["sha256"] = base64.b64encode(new.sha256).decode()
        fields["size"] = float(new.size)
        added: str = await transact(lambda transaction: transaction.system_insert(TABLE, fields))
    return added


def _checked_type(content_type: str) -> str:
    if len(content_type) > _CONTENT_TYPE_LENGTH or not _CONTENT_TYPE.fullmatch(content_type):
        raise FileInvalid(
            "BadContentType",
            f"{content_type[:80]!r} is no content type; it looks like `image/png`",
        )
    return content_type


def _decoded(sha256: str) -> bytes:
    try:
        decoded = base64.b64decode(sha256, validate=True)
    except ValueError:
        decoded = b""
    if len(decoded) != 32:
        raise FileInvalid("BadDigest", f"{sha256[:80]!r} is no SHA-256 in base64")
    return decoded
