"""The write set of one transaction, seen by its own reads alone until it is applied."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sortedcontainers import SortedDict

from headwater.core.catalog import Catalog
from headwater.core.documents import Stored
from headwater.core.keys import DOCUMENTS, POSTING, document_key, entry_key
from headwater.core.storage import Entry, Writes


@dataclass
class WriteSet:
    """What a transaction changed, ready for the storage and for invalidation.

    Attributes:
        keys: every index key and document key touched, old and new: what read sets are tested
        against.
        documents: the new versions by id, None for a removed one.
    """

    writes: Writes = field(default_factory=Writes)
    keys: set[bytes] = field(default_factory=set)
    documents: dict[str, Stored | None] = field(default_factory=dict)


_Change = tuple[bytes, str | None]
"""An entry this transaction made, or removed: then without an id."""


class Overlay:
    """Changed documents and index entries over a database's own."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._base: dict[str, Stored | None] = {}
        self._documents: dict[str, Stored | None] = {}
        self._entries: Any = {}  # a SortedDict from the first scan on

    def __len__(self) -> int:
        return len(self._documents)

    def copy(self) -> Overlay:
        """The overlay as it is now, for a sub-transaction to fall back to."""
        copied = Overlay(self._catalog)
        copied._base = dict(self._base)
        copied._documents = dict(self._documents)
        copied._entries = self._entries.copy()
        return copied

    def holds(self, document_id: str) -> bool:
        """True when this transaction wrote or removed the document."""
        return document_id in self._documents

    def document(self, document_id: str) -> Stored | None:
        """The version this transaction wrote."""
        return self._documents[document_id]

    def put(self, document_id: str, old: Stored | None, new: Stored | None) -> None:
        """Replaces a document's version: None before an insert, None after a delete."""
        self._base.setdefault(document_id, old)
        self._documents[document_id] = new
        if old is not None:
            for key in self._keys(old):
                self._entries[key] = None
        if new is not None:
            for key in self._keys(new):
                self._entries[key] = document_id

    def merged(
        self, stored: Iterable[Entry], start: bytes, end: bytes, desc: bool
    ) -> Iterator[Entry]:
        """Entries of the database in a range with this transaction's changes laid over."""
        if start[:1] == DOCUMENTS:
            return _merged(stored, self._own_documents(start, end, desc), desc)
        if not isinstance(self._entries, SortedDict):
            self._entries = SortedDict(self._entries)
        own = [
            (key, self._entries[key])
            for key in self._entries.irange(start, end, (True, False), desc)
        ]
        return _merged(stored, own, desc)

    def _own_documents(self, start: bytes, end: bytes, desc: bool) -> list[_Change]:
        ids = ((document_key(i), i if new else None) for i, new in self._documents.items())
        return sorted((entry for entry in ids if start <= entry[0] < end), reverse=desc)

    def write_set(self) -> WriteSet:
        """What is really different from before: a document written back as it was is not."""
        result = WriteSet()
        for document_id, new in self._documents.items():
            old = self._base[document_id]
            if (old and old.body) != (new and new.body):
                self._add_change(result, document_id, old, new)
        return result

    def _add_change(
        self, result: WriteSet, document_id: str, old: Stored | None, new: Stored | None
    ) -> None:
        result.documents[document_id] = new
        result.writes.documents[document_id] = new.body if new else None
        before = self._keys(old) if old else frozenset()
        after = self._keys(new) if new else frozenset()
        result.writes.entries.update(dict.fromkeys(before - after))
        result.writes.entries.update(dict.fromkeys(after - before, document_id))
        result.keys |= before | after
        if len(before & after) > 1:  # a search reads its documents by themselves: those keys stay
            kept = [key for key in before & after if key[:1] == POSTING]
            result.keys.difference_update(kept)
        result.keys.add(document_key(document_id))

    def _keys(self, stored: Stored) -> frozenset[bytes]:
        generation, keys = stored.keys
        if generation != self._catalog.generation:
            value = stored.value
            indexes = self._catalog.table(stored.table or "").indexes.values()
            keys = frozenset(
                [entry_key(i.number, i.fields, value) for i in indexes if not i.is_search]
            )
            if len(keys) < len(indexes):
                keys = keys.union(*[i.keys(value) for i in indexes if i.is_search])
            stored.keys = self._catalog.generation, keys
        return keys


def _merged(stored: Iterable[Entry], own: list[_Change], desc: bool) -> Iterator[Entry]:
    changed = {key for key, _ in own}
    kept = (entry for entry in stored if entry[0] not in changed)
    added = ((key, document_id) for key, document_id in own if document_id is not None)
    return heapq.merge(kept, added, key=lambda entry: entry[0], reverse=desc)
