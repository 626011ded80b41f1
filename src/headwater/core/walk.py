"""Going through a table piece by piece, while others write between the pieces."""

from __future__ import annotations

from headwater.core.database import Database
from headwater.core.documents import Stored
from headwater.core.keys import index_prefix, successor
from headwater.core.manifest import BY_CREATION_TIME

PIECE_DOCUMENTS = 200
PIECE_BYTES = 2**19
"""A piece is this much at most: some 10 ms, which nobody in a queue notices."""


class Walk:
    """A table's documents from the oldest to the newest; those written meanwhile come at the end.

    Attributes:
        done: the last document was given.
        position: the key of by_creation_time from which on none was given yet.
    """

    def __init__(self, database: Database, table: str, position: bytes = b"") -> None:
        self._database = database
        entry = database.catalog.tables.get(table)
        self.done = entry is None
        number = 0 if entry is None else entry.indexes[BY_CREATION_TIME.name].number
        prefix = index_prefix(number)
        self._end = successor(prefix)
        self.position = position or prefix

    def next(self) -> list[Stored]:
        """The next piece, as it is now; empty only at the end."""
        if self.done:
            return []
        storage, room, found = self._database.storage, PIECE_BYTES, []
        entries = storage.scan(self.position, self._end, False, PIECE_DOCUMENTS)
        self.done = len(entries) < PIECE_DOCUMENTS
        for key, document_id in entries:
            stored = self._database.peek(document_id)
            self.position = key + b"\x00"
            if stored is not None:
                found.append(stored)
                room -= len(stored.body)
            if room <= 0 and key != entries[-1][0]:
                self.done = False
                break
        return found
