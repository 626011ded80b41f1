"""The storage interface: an ordered key space with transactions.

Documents by id, index entries under order-preserving keys, a few named records. One thread uses a
storage; what it writes between `begin` and `commit` is seen by its own later reads and kept as a
whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(slots=True)
class Writes:
    """What one transaction changes.

    Attributes:
        documents: bodies by id; None removes the document.
        entries: document ids by index key; None removes the entry.
    """

    documents: dict[str, bytes | None] = field(default_factory=dict)
    entries: dict[bytes, str | None] = field(default_factory=dict)


Entry = tuple[bytes, str]
"""An index entry: its key, and the id of its document."""


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """A mutation that was applied: enough to recognise a re-sent one and to answer it again."""

    session_id: str
    request_id: int
    fingerprint: bytes
    ts: int
    value: bytes
    log_lines: bytes


class Storage(Protocol):
    """What the engine needs of a store."""

    def begin(self) -> None:
        """Starts a transaction."""

    def commit(self) -> None:
        """Makes the transaction durable; returns when a crash can no longer undo it.

        Raises:
            StorageFailure: nothing of it was kept.
        """

    def rollback(self) -> None:
        """Drops the transaction."""

    def document(self, document_id: str) -> bytes | None:
        """A document's body, None when there is none."""

    def scan(self, start: bytes, end: bytes, descending: bool, limit: int) -> Sequence[Entry]:
        """Index entries with start <= key < end, in key order or its reverse, `limit` at most.

        Between document keys: the documents there, each as an entry with its key and id.
        """

    def write(self, writes: Writes) -> None:
        """Applies a write set inside the transaction."""

    def count(self, start: bytes, end: bytes, limit: int) -> int:
        """How many index entries a key range has, `limit` at most."""

    def drop_entries(self, start: bytes, end: bytes, limit: int | None = None) -> int:
        """Removes index entries of a key range, `limit` at most; gives how many."""

    def drop_documents(self, start: bytes, end: bytes) -> int:
        """Removes the documents that the index entries of a key range name; gives how many."""

    def record(self, name: str) -> bytes | None:
        """A named record, such as the catalog."""

    def put_record(self, name: str, body: bytes) -> None:
        """Writes a named record inside the transaction."""

    def session_request(self, session_id: str, request_id: int) -> SessionRequest | None:
        """The applied mutation of this session and id, if there was one."""

    def put_session_requests(self, requests: Iterable[SessionRequest]) -> None:
        """Notes applied mutations inside the transaction."""

    def forget_session_requests(self, before_ts: int) -> None:
        """Removes notes older than a timestamp, inside the transaction."""

    def snapshot(self, path: Path, tell: Callable[[int, int], None]) -> Storage:
        """The store as it is at one moment, to be read while this one goes on.

        Called on a thread of its own, outside any transaction; the reader closes it.

        Args:
            path: a file that may be used for it, and is removed by the caller.
            tell: told how much is done, and of how much; while it waits, this store has its turn.
        """

    def close(self) -> None:
        """Lets the store go."""
