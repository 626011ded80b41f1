"""`_storage` in a snapshot: a line for each file, and its bytes beside it."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
from collections.abc import Iterator
from typing import IO, Any, Final, Protocol

import orjson

from headwater.clock import Clock
from headwater.core import values
from headwater.core.documents import Stored
from headwater.core.files import UUID
from headwater.errors import HeadwaterError

TABLE: Final = "_storage"
_MIME: Final = re.compile(r"[\w.+-]+/[\w.+-]+")


class Bytes(Protocol):
    """Where the bytes of files are."""

    def read(self, storage_id: str, size: int) -> Iterator[bytes]:
        """Bytes of a file."""

    def write(self, storage_id: str, content: IO[bytes], sha256: bytes) -> None:
        """Stores bytes under a uuid."""

    def kept(self, storage_id: str) -> None:
        """A row names what was written."""

    def removed(self, storage_id: str) -> None:
        """No row names what was written."""


def line_of(stored: Stored) -> bytes:
    """The line of a file, as Convex writes it: its own uuid is `internalId`."""
    fields = dict(stored.value)
    line = {**fields, "internalId": fields.pop("storageId"), "size": int(fields["size"])}
    line.pop("storageId", None)
    return orjson.dumps(line, option=orjson.OPT_SORT_KEYS) + b"\n"


def member_of(stored: Stored) -> str:
    """Its place in a zip; the extension only helps whoever looks at it."""
    content_type = str(stored.value.get("contentType", "")).partition(";")[0].strip()
    guessed = mimetypes.guess_extension(content_type) if _MIME.fullmatch(content_type) else None
    return f"{TABLE}/{stored.id}{guessed or ''}"


def row_of(line: dict[str, Any], known: dict[str, str], clock: Clock) -> dict[str, Any]:
    """The fields of `_storage` for a line.

    Args:
        line: as an export has it.
        known: the hash of each uuid that is taken; another file gets a uuid of its own.
        clock: for new uuids.

    Raises:
        HeadwaterError: it is not the line of a file.
    """
    sha256, size = line.get("sha256"), line.get("size")
    if not isinstance(size, float | int) or _digest(sha256) is None:
        raise HeadwaterError("a file needs its `size` and its `sha256`, in base64")
    uuid = line.get("internalId")
    if not isinstance(uuid, str) or not UUID.fullmatch(uuid) or known.get(uuid, sha256) != sha256:
        raw = clock.random_bytes(16).hex()
        uuid = f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-a{raw[17:20]}-{raw[20:]}"
    row = {"storageId": uuid, "sha256": sha256, "size": float(size)}
    content_type = line.get("contentType")
    row |= {} if content_type is None else {"contentType": content_type}
    return row | {name: line[name] for name in ("_id", "_creationTime") if name in line}


def digest(row: dict[str, Any]) -> bytes:
    """The hash a file must have."""
    return _digest(row["sha256"]) or b""


def uuid_of(body: bytes) -> str:
    """The uuid in a row's body."""
    return str(values.decode(body)["storageId"])


def _digest(text: Any) -> bytes | None:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return None
    return raw if len(raw) == 32 else None
