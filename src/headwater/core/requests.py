"""What a handler may ask of its driver: plain data, so that the handler may run in another
process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from headwater.core.manifest import FunctionKind


@dataclass(slots=True)
class Get:
    """One document by id; `table`, where given, must be the id's."""

    id: str
    table: str | None = None
    system: bool = False


@dataclass(slots=True)
class Insert:
    """A new document, without system fields."""

    table: str
    document: dict[str, Any]


@dataclass(slots=True)
class Patch:
    """Shallow changes to a document; `removed` fields become absent."""

    id: str
    changes: dict[str, Any]
    removed: list[str] = field(default_factory=list)
    table: str | None = None


@dataclass(slots=True)
class Replace:
    """All fields of a document; fields not named become absent."""

    id: str
    document: dict[str, Any]
    table: str | None = None


@dataclass(slots=True)
class Delete:
    """The end of a document."""

    id: str
    table: str | None = None


@dataclass(slots=True)
class Bound:
    """One end of a range over an index field."""

    field: str
    value: Any
    inclusive: bool


@dataclass(slots=True)
class Range:
    """A table through one of its indexes, under wire names: equal fields, then one range, and an
    order.
    """

    table: str
    index: str = "by_creation_time"
    equal: list[tuple[str, Any]] = field(default_factory=list)
    lower: Bound | None = None
    upper: Bound | None = None
    descending: bool = False
    system: bool = False


@dataclass(slots=True)
class Search(Range):
    """A table through one of its search indexes: `text` to search, `equal` filters; best first."""

    text: str = ""


@dataclass(slots=True)
class Scan:
    """Opens a range and gives its first documents; `stream` when the handler may stop early."""

    range: Range
    limit: int | None
    stream: bool = False


@dataclass(slots=True)
class ScanMore:
    """The next documents of an open scan."""

    scan: Any
    limit: int


@dataclass(slots=True)
class Page:
    """One page of a range, from `cursor` on.

    A `filtered` one is given as a scan, for the handler to choose from: it asks for more until it
    has enough, then for the PageEnd.
    """

    range: Range
    num_items: int
    cursor: str | None
    end_cursor: str | None = None
    maximum_rows_read: int | None = None
    maximum_bytes_read: int | None = None
    filtered: bool = False


@dataclass(slots=True)
class PageEnd:
    """The cursors of a filtered page, which ends where its handler stopped to look.

    Attributes:
        kept: how many documents are on it.
    """

    scan: Any
    kept: int


@dataclass(slots=True)
class Identity:
    """The caller's identity; asking makes the result depend on it."""


@dataclass(slots=True)
class UploadUrl:
    """A URL to send a file to."""


@dataclass(slots=True)
class FileUrl:
    """The URL of a file, by its storage id or its uuid."""

    id: str


@dataclass(slots=True)
class FileFacts:
    """What is known of a file."""

    id: str


@dataclass(slots=True)
class DeleteFile:
    """The end of a file."""

    id: str


@dataclass(slots=True)
class Schedule:
    """A mutation or action to be run at a time, in ms since 1970."""

    path: str
    arguments: dict[str, Any]
    at_ms: float


@dataclass(slots=True)
class Cancel:
    """The end of a scheduled call that has not ended."""

    id: str


@dataclass(slots=True)
class RunFunction:
    """Another function of the backend, in this transaction."""

    path: str
    kind: FunctionKind
    arguments: dict[str, Any]
