"""One database: a storage, its catalog, the manifest it serves, and the documents it holds
decoded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from headwater.clock import Clock
from headwater.core.catalog import Catalog
from headwater.core.cursors import Seal
from headwater.core.documents import Stored
from headwater.core.files import FileStore, NoFiles
from headwater.core.manifest import Manifest, TableSpec
from headwater.core.snapshots import Snapshots
from headwater.core.storage import Entry, Storage
from headwater.core.system import SYSTEM_SPECS
from headwater.settings import Limits

SEAL_RECORD: Final = "cursor_key"
"""The storage's record of the key that cursors are sealed with."""

_CHUNK = 256
_CACHE_BYTES = 32 * 2**20  # of bodies; decoded they take several times as much


class Database:
    """What transactions read from and the engine writes to.

    Attributes:
        manifest: the backend it serves; replaced as a whole when the backend is reloaded.
        files: where the bytes of files are.
        snapshots: the recent timestamps that can still be read.
        outstanding: scheduled calls that wait or run, with those of the open batch.
        last_creation_time: that of the newest document since it was opened, ms since 1970.
    """

    files: FileStore = NoFiles()

    def __init__(
        self, storage: Storage, clock: Clock, limits: Limits, catalog: Catalog | None = None
    ) -> None:
        self.storage = storage
        self.clock = clock
        self.limits = limits
        self.catalog = catalog or Catalog.load(storage)
        self.manifest = Manifest()
        self.snapshots = Snapshots(limits, clock)
        self.outstanding = 0
        self._cache: dict[str, Stored] = {}
        self._cached_bytes = 0
        self.last_creation_time = 0.0

    @cached_property
    def seal(self) -> Seal:
        """What cursors are sealed with, by a key of this database."""
        key = self.storage.record(SEAL_RECORD)
        assert key is not None, "a commit log has made one"
        return Seal(key)

    def creation_time(self, now_ms: float) -> float:
        """The creation time of a new document: `now_ms`, or just after the last one given out."""
        later = math.nextafter(self.last_creation_time, math.inf)
        self.last_creation_time = max(now_ms, later)
        return self.last_creation_time

    def table(self, name: str) -> TableSpec:
        """The spec of a table: the runtime's own, a declared one, or one of any documents."""
        return SYSTEM_SPECS.get(name) or self.manifest.table(name)

    def document(self, document_id: str) -> Stored | None:
        """The newest version of a document, decoded at most once while it is kept."""
        found = self._cache.get(document_id)
        if found is None:
            body = self.storage.document(document_id)
            if body is None:
                return None
            found = Stored(document_id, self.catalog.table_of(document_id) or "", body)
            self.remember(found)
        return found

    def peek(self, document_id: str) -> Stored | None:
        """The newest version of a document, not kept: for going through a whole table."""
        found = self._cache.get(document_id)
        if found is not None:
            return found
        body = self.storage.document(document_id)
        table = self.catalog.table_of(document_id) or ""
        return None if body is None else Stored(document_id, table, body)

    def remember(self, stored: Stored) -> None:
        """Keeps a version at hand; the oldest go when there are too many."""
        self._cached_bytes += len(stored.body)
        self._cache[stored.id] = stored
        if self._cached_bytes > _CACHE_BYTES:
            for old in list(self._cache)[: len(self._cache) // 4 + 1]:
                self._cached_bytes -= len(self._cache.pop(old).body)

    def forget(self, document_id: str) -> None:
        """Drops a document that was removed or replaced."""
        gone = self._cache.pop(document_id, None)
        if gone is not None:
            self._cached_bytes -= len(gone.body)

    def reset(self) -> None:
        """Drops every cached document, after a transaction of the storage was lost.

        The catalog stays: numbers it gave out meanwhile are in read sets, and are saved next time.
        """
        self._cache.clear()
        self._cached_bytes = 0
        self.catalog.changed = True

    def entries(self, start: bytes, end: bytes, descending: bool) -> Iterator[Entry]:
        """All index entries of a key range, read in chunks as they are asked for."""
        while True:
            chunk = self.storage.scan(start, end, descending, _CHUNK)
            yield from chunk
            if len(chunk) < _CHUNK:
                return
            last = chunk[-1][0]
            start, end = (start, last) if descending else (last + b"\x00", end)
