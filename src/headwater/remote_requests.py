"""What only an action in a worker asks its host: the time, and the bytes of files, in pieces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Now:
    """The time of the host, in ms since 1970."""


@dataclass(slots=True)
class SendPiece:
    """The next bytes of a file that is to be stored.

    Attributes:
        file: its number among those of the action.
    """

    file: int
    content: bytes


@dataclass(slots=True)
class KeepFile:
    """The end of a file that was sent in pieces: it is stored, and its id is the answer.

    Attributes:
        sha256: base64 of the hash it must have.
    """

    file: int
    content_type: str | None
    sha256: str | None


@dataclass(slots=True)
class OpenFile:
    """A stored file, to be read in pieces; the answer has its number, size and content type.

    Attributes:
        operation: what the handler called, for messages.
    """

    id: str
    operation: str


@dataclass(slots=True)
class NextPiece:
    """The next bytes of an opened file; null after the last."""

    file: int
