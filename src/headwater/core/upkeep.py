"""What goes on beside the calls, a bounded piece at a time: indexes filled, old ones removed.

The catalog says what is left to do and how far it came, in the same transaction as the piece
itself; so a killed server goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from headwater.core.database import Database
from headwater.core.keys import index_prefix, search_prefix, successor
from headwater.core.storage import Writes
from headwater.core.walk import Walk

T = TypeVar("T")

_PIECE_ENTRIES = 5_000


def with_transaction(database: Database, step: Callable[[], T]) -> T:
    """Runs a step that changes catalog and storage, both or neither."""
    before = database.catalog.copy()
    storage = database.storage
    storage.begin()
    try:
        result = step()
        if database.catalog.changed:
            database.catalog.save(storage)
        storage.commit()
    except BaseException:
        storage.rollback()
        database.catalog = before
        raise
    return result


class Upkeep:
    """Brings a database's indexes to where its catalog wants them.

    Attributes:
        failed: the storage refused a piece; nothing more is tried until it is asked for again.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.failed = False

    @property
    def needed(self) -> bool:
        """True when something is left to do."""
        catalog = self._database.catalog
        return bool(catalog.garbage) or next(catalog.unfilled(), None) is not None

    def step(self) -> bool:
        """One piece of what is left to do, in a transaction of its own.

        Returns:
            True when an index has just become whole.

        Raises:
            StorageFailure: nothing of the piece was kept.
        """
        found = next(self._database.catalog.unfilled(), None)
        self.failed = True
        if found is None:
            with_transaction(self._database, self.clean)
            whole = False
        else:
            whole = with_transaction(self._database, lambda: self.fill(*found[:2]))
        self.failed = False
        return whole

    def fill(self, table: str, name: str) -> bool:
        """Puts some documents into an index that misses them; in a transaction.

        Returns:
            True when it misses none any more.
        """
        catalog = self._database.catalog
        index = catalog.table(table).indexes[name]
        walk = Walk(self._database, table, index.filled_to or b"")
        writes = Writes()
        for stored in walk.next():
            writes.entries.update(dict.fromkeys(index.keys(stored.value), stored.id))
        self._database.storage.write(writes)
        catalog.fill(table, name, None if walk.done else walk.position)
        return walk.done

    def clean(self) -> None:
        """Removes some entries of an index that is gone; in a transaction."""
        catalog = self._database.catalog
        number, removed = catalog.garbage[-1], 0
        for prefix in (index_prefix(number), search_prefix(number)):  # it is of one kind
            left = _PIECE_ENTRIES - removed
            removed += self._database.storage.drop_entries(prefix, successor(prefix), left)
        if removed < _PIECE_ENTRIES:
            catalog.garbage.pop()
            catalog.changed = True
