"""One transaction: answers a handler's requests from one snapshot, noting reads and writes."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from headwater.core import files, pages, requests
from headwater.core.cursors import QuerySeal
from headwater.core.database import Database
from headwater.core.documents import Stored
from headwater.core.ids import make_id
from headwater.core.keys import PREFIX, document_key
from headwater.core.manifest import BY_ID, TableSpec
from headwater.core.overlay import Overlay
from headwater.core.ranges import fingerprint, ids_interval, index_of, interval, unavailable
from headwater.core.reads import ReadSet, point
from headwater.core.scans import Batch, Given, OpenScan, account
from headwater.core.searches import Searching
from headwater.core.storage import Entry
from headwater.core.system import SYSTEM_SPECS
from headwater.core.writes import check_size, check_words, checked_document, patched
from headwater.errors import (
    DocumentInvalid,
    DocumentMissing,
    InvalidStorageId,
    LimitExceeded,
    QueryInvalid,
    SystemTableAccess,
)

_NARROWER = "read a range of an index, and end with .take(100), .paginate(options) or .first()"
_BATCHES = "take a batch, then schedule the rest: await ctx.scheduler.run_after(0, clear, ...)"
_AT_ONCE = 64  # documents loaded before their bytes are looked at


@dataclass(slots=True)
class Counters:
    """What one transaction did; limits and the grader work from it."""

    documents_read: int = 0
    bytes_read: int = 0
    documents_written: int = 0
    bytes_written: int = 0
    bytes_returned: int = 0


class Transaction(Searching):
    """One call's view of the database.

    Args:
        database: what it reads.
        identity: the caller's, as plain data.
        now_ms: the call's frozen time.
        writable: False for queries.
        journal: end cursors of the pages this query gave last time.
        job: the scheduled call this one belongs to.

    Attributes:
        scheduled: how many calls it has scheduled.
        queue_changed: it wrote to the tables the job queue is made of.
    """

    def __init__(
        self,
        database: Database,
        *,
        identity: dict[str, Any] | None = None,
        now_ms: float = 0.0,
        writable: bool = False,
        journal: list[str] | None = None,
        job: str | None = None,
    ) -> None:
        self._database = database
        self._identity = identity
        self._writable = writable
        self._overlay = Overlay(database.catalog)
        self._scans: list[OpenScan] = []
        self._given = Given()
        self._now_ms = now_ms
        self._journal = iter(journal or ())
        self.reads = ReadSet()
        self.counters = Counters()
        self.identity_read = False
        self.journal: list[str] = []
        self.job = job
        self.scheduled = 0
        self.queue_changed = False

    def answer(self, request: Any) -> Any:
        """Answers one request of the handler.

        Raises:
            HeadwaterError: what the handler then sees raised by its ctx call.
        """
        return _ANSWERS[type(request)](self, request)

    def finish(self) -> None:
        """Settles how far open scans were read; the read set is whole afterwards."""
        for scan in self._scans:
            scan.settle(self.reads)
            self.counters.documents_read += scan.used
            self.counters.bytes_read += sum(scan.sizes[: scan.used])
        self._scans.clear()
        self._given = Given()

    @property
    def overlay(self) -> Overlay:
        """The writes so far."""
        return self._overlay

    def mark(self) -> Overlay:
        """The writes so far, to go back to when a sub-transaction fails."""
        return self._overlay.copy()

    def restore(self, mark: Overlay) -> None:
        """Undoes what was written since the mark."""
        self._overlay = mark

    # reads

    def _get(self, request: requests.Get) -> Stored | None:
        table = self._table_of(request.id, request.table, "db.get")
        if (table in SYSTEM_SPECS) != request.system:
            raise SystemTableAccess(table, request.system)
        return self._read(request.id, table)

    def _read(self, document_id: str, table: str) -> Stored | None:
        self.reads.add(*point(document_key(document_id)))
        stored = self._load(document_id)
        counters, given, limits = self.counters, self._given, self._database.limits
        counters.documents_read += 1
        counters.bytes_read += len(stored.body) if stored else 0
        if counters.documents_read + given.documents > limits.documents_read:
            raise self._too_much(table, "documents_read")
        if counters.bytes_read + given.bytes > limits.bytes_read:
            raise self._too_much(table, "bytes_read")
        return stored

    def _load(self, document_id: str) -> Stored | None:
        if self._overlay.holds(document_id):
            return self._overlay.document(document_id)
        return self._database.document(document_id)

    @property
    def writable(self) -> bool:
        """True for mutations and steps of the runtime."""
        return self._writable

    @property
    def now_ms(self) -> float:
        """The call's frozen time."""
        return self._now_ms

    def table_of(self, document_id: str) -> str | None:
        """The name of the table an id belongs to."""
        return self._database.catalog.table_of(document_id)

    def _table_of(self, document_id: str, wanted: str | None, operation: str) -> str:
        table = self._database.catalog.table_of(document_id)
        if table is None:
            raise InvalidStorageId(
                f"Invalid argument `id` for `{operation}`: {document_id[:80]!r} is no document id"
            )
        if wanted is not None and table != wanted:
            raise InvalidStorageId(
                f"Invalid argument `id` for `{operation}`: expected an id of table `{wanted}`, "
                f"got {document_id!r} of table `{table}`"
            )
        return table

    def _scan(self, request: requests.Scan) -> Batch:
        wanted = request.range
        if isinstance(wanted, requests.Search):
            return self._search(wanted, request)
        start, end = self._interval(wanted)
        scan = OpenScan(wanted, start, end)
        if request.limit == 0:
            return Batch(scan, [], False)
        self._scans.append(scan)
        return self._next(scan, request.limit)

    def _scan_more(self, request: requests.ScanMore) -> Batch:
        if request.scan.ranks is not None:
            return self._results(request.scan, request.limit, stream=True)
        return self._next(request.scan, request.limit)

    def _next(self, scan: OpenScan, limit: int | None) -> Batch:
        given, limits, window = self._given, self._database.limits, scan.window
        if window is not None:
            limit = window.allowed(len(scan.keys), limit)
        room = limits.documents_read - self.counters.documents_read - given.documents
        wanted = room + 1 if limit is None else min(limit, room + 1)
        if scan.ranks is None:
            entries = self._entries(*scan.rest(), scan.descending, wanted)
        else:
            entries = scan.found(wanted)
        if len(entries) > room:
            raise self._unread(scan, "documents_read")
        documents = self._documents(entries, limits.bytes_read)
        sizes = [len(stored.body) for stored in documents]
        scan.done = len(entries) < wanted
        if window is not None and (kept := window.within(sum(scan.sizes), sizes)) < len(entries):
            del entries[kept:], documents[kept:], sizes[kept:]
            scan.done = False
        scan.keys.extend([key for key, _ in entries])
        scan.sizes.extend(sizes)
        given.documents += len(documents)
        given.bytes += sum(sizes)
        if self.counters.bytes_read + given.bytes > limits.bytes_read:
            raise self._unread(scan, "bytes_read")
        over = scan.done or (window is not None and window.note(scan))
        return Batch(scan, documents, over)

    def _unread(self, scan: OpenScan, limit: str) -> LimitExceeded:
        self.reads.add(scan.start, scan.end)  # the call fails by what is there, given to it or not
        scan.used = scan.used if scan.ranks is None else len(scan.keys)
        return self._too_much(scan.range.table, limit)

    def _too_much(self, table: str, limit: str) -> LimitExceeded:
        allowed = getattr(self._database.limits, limit)
        words = limit.replace("_", " ")
        so_far = account(self._scans, self.counters.documents_read)
        return LimitExceeded(
            f"this call reached its limit of {allowed:g} {words} while reading table {table}. "
            f"{so_far}Narrow the read: an index range, .take(n) or .paginate()"
        ).by_rule("HW402", _NARROWER)

    def _entries(self, start: bytes, end: bytes, descending: bool, limit: int) -> list[Entry]:
        if not len(self._overlay):
            return list(self._database.storage.scan(start, end, descending, limit))
        stored = self._database.entries(start, end, descending)
        return list(itertools.islice(self._overlay.merged(stored, start, end, descending), limit))

    def _documents(self, entries: list[Entry], most: int) -> list[Stored]:
        """The documents of entries; no more of them once they have more than `most` bytes."""
        load = self._load if len(self._overlay) else self._database.document
        documents = [load(document_id) for _, document_id in entries[:_AT_ONCE]]
        for at in range(_AT_ONCE, len(entries), _AT_ONCE):
            if sum(len(stored.body) for stored in documents if stored) > most:
                break
            documents += [load(document_id) for _, document_id in entries[at : at + _AT_ONCE]]
        assert None not in documents, "every index entry has its document"
        return cast("list[Stored]", documents)

    def _interval(self, wanted: requests.Range) -> tuple[bytes, bytes]:
        if len(self._scans) >= self._database.limits.ranges_read:
            raise self._too_much(wanted.table, "ranges_read")
        if (wanted.table in SYSTEM_SPECS) != wanted.system:
            raise SystemTableAccess(wanted.table, wanted.system)
        index = index_of(wanted, self._database.table(wanted.table))
        table = self._database.catalog.tables.get(wanted.table)
        # A table nobody wrote to has no number yet; making it one lets the read be invalidated.
        table = table or self._database.catalog.table(wanted.table)
        if index is BY_ID:
            return ids_interval(wanted, table.number)
        found = table.indexes[index.name]
        if index.staged or found.filled_to is not None:
            raise unavailable(self._database, wanted.table, index)
        return interval(wanted, index, found.number)

    def _page(self, request: requests.Page) -> pages.PageBatch | Batch:
        ranks = None
        if isinstance(request.range, requests.Search):
            start, end, ranks = self._searched(request.range)
        else:
            start, end = self._interval(request.range)
        mark = pages.mark(fingerprint(request.range), start[:PREFIX])
        journal, limits = next(self._journal, None), self._database.limits
        seal = QuerySeal(self._database.seal, mark)
        window = pages.window(request, seal, start, end, journal, limits)
        window.slot = len(self.journal)
        self.journal.append("")
        scan = OpenScan(request.range, window.start, window.end, window, ranks)
        self._scans.append(scan)
        batch = self._next(scan, window.limit)
        if request.filtered:
            return batch
        scan.used = len(batch.documents)
        return self._ended(scan, len(batch.documents), batch.documents)

    def _page_end(self, request: requests.PageEnd) -> pages.PageBatch:
        return self._ended(request.scan, request.kept, [])

    def _ended(self, scan: OpenScan, kept: int, documents: list[Stored]) -> pages.PageBatch:
        assert scan.window is not None, "a page is read in a window"
        page = scan.window.result(scan, kept, documents)
        self.journal[scan.window.slot] = page.cursor
        return page

    def _who(self, _request: requests.Identity) -> dict[str, Any] | None:
        self.identity_read = True
        return self._identity

    # writes

    def _insert(self, request: requests.Insert) -> str:
        table = self._writable_table(request.table)
        system = self._new_system_fields(table)
        self._put(table, None, request.document, system)
        document_id: str = system["_id"]
        return document_id

    def _new_system_fields(self, table: TableSpec) -> dict[str, Any]:
        created = self._database.creation_time(self._now_ms)
        number = self._database.catalog.table(table.name).number
        document_id = make_id(number, self._database.clock.random_bytes(14), created)
        self._database.catalog.note_id(document_id, table.name)
        return {"_id": document_id, "_creationTime": created}

    def _patch(self, request: requests.Patch) -> None:
        table, old = self._existing(request.id, request.table, "db.patch")
        own = _system_fields(old)
        changes = _without(own, request.changes, "patch", request.id)
        changed = patched(table, old.fields, changes, request.removed)
        self._put(table, old, changed, own)

    def _replace(self, request: requests.Replace) -> None:
        table, old = self._existing(request.id, request.table, "db.replace")
        own = _system_fields(old)
        fields = _without(own, request.document, "replace", request.id)
        self._put(table, old, fields, own)

    def _delete(self, request: requests.Delete) -> None:
        _, old = self._existing(request.id, request.table, "db.delete")
        self._overlay.put(request.id, old, None)
        self._count_write(0)

    def _existing(
        self, document_id: str, wanted: str | None, operation: str
    ) -> tuple[TableSpec, Stored]:
        name = self._table_of(document_id, wanted, operation)
        table = self._writable_table(name)
        old = self._read(document_id, name)
        if old is None:
            raise DocumentMissing(operation.removeprefix("db.").capitalize(), document_id)
        return table, old

    def _writable_table(self, name: str) -> TableSpec:
        if not self._writable:
            raise QueryInvalid("a query only reads; write in a mutation")
        if name in SYSTEM_SPECS:
            raise SystemTableAccess(name, False)
        if not name.isidentifier() or name.startswith("_") or not name.isascii():
            raise DocumentInvalid(f"{name!r} is no table name; use letters, digits and _")
        return self._database.manifest.table(name)

    def _put(
        self, table: TableSpec, old: Stored | None, fields: dict[str, Any], system: dict[str, Any]
    ) -> None:
        new = self._checked(table, fields, system)
        check_size(new, self._database.limits)
        if table.search_indexes:
            check_words(table, new, self._database.limits)
        self._count_write(new.size)
        self._overlay.put(new.id, old, new)

    def _checked(self, table: TableSpec, fields: dict[str, Any], system: dict[str, Any]) -> Stored:
        value = checked_document(table, fields, system, self._database.catalog.table_of)
        return Stored.of(table.name, value)

    # what the runtime keeps in tables of its own

    @property
    def database(self) -> Database:
        """What it reads."""
        return self._database

    def check_writable(self) -> None:
        """Refuses what only mutations may ask for.

        Raises:
            QueryInvalid: this is a query.
        """
        if not self._writable:
            raise QueryInvalid("a query only reads; write in a mutation")

    def system_get(self, document_id: str) -> Stored | None:
        """A document read by the runtime for itself: depended on, but not counted."""
        self.reads.add(*point(document_key(document_id)))
        return self._load(document_id)

    def system_scan(self, wanted: requests.Range, limit: int) -> list[Stored]:
        """The first documents of a range of a system table: depended on, but not counted."""
        wanted.system = True
        start, end = self._interval(wanted)
        self.reads.add(start, end)
        return self._documents(self._entries(start, end, wanted.descending, limit), sys.maxsize)

    def system_count(self, wanted: requests.Range) -> int:
        """How many entries a range of a system table has; the documents are not read."""
        wanted.system = True
        start, end = self._interval(wanted)
        return sum(1 for _ in self._database.entries(start, end, descending=False))

    def system_insert(self, table: str, fields: dict[str, Any]) -> str:
        """Adds a document to a system table; also in a call that may not write by itself."""
        self.queue_changed = True
        spec = self._database.table(table)
        new = self._checked(spec, fields, self._new_system_fields(spec))
        self._overlay.put(new.id, None, new)
        return new.id

    def system_patch(self, stored: Stored, changes: dict[str, Any]) -> None:
        """Changes fields of a document of a system table."""
        self.queue_changed = True
        table = self._database.table(stored.table or "")
        fields = {**stored.fields, **changes}
        new = self._checked(table, fields, _system_fields(stored))
        self._overlay.put(stored.id, stored, new)

    def system_delete(self, stored: Stored) -> None:
        """Removes a document of a system table."""
        self.queue_changed = True
        self._overlay.put(stored.id, stored, None)

    def _count_write(self, size: int) -> None:
        limits, counters = self._database.limits, self.counters
        counters.documents_written += 1
        counters.bytes_written += size
        if counters.documents_written > limits.documents_written:
            raise _wrote_too_much(limits.documents_written, "documents written")
        if counters.bytes_written > limits.bytes_written:
            raise _wrote_too_much(limits.bytes_written, "bytes written")


def _wrote_too_much(limit: int, what: str) -> LimitExceeded:
    return LimitExceeded(
        f"this mutation reached its limit of {limit} {what}. Write in batches of several calls"
    ).by_rule("HW406", _BATCHES)


def _without(
    own: dict[str, Any], fields: dict[str, Any], operation: str, document_id: str
) -> dict[str, Any]:
    """Fields without the document's own system fields, which may be handed back unchanged."""
    if "_id" not in fields and "_creationTime" not in fields:
        return fields
    for name, value in own.items():
        if fields.get(name, value) != value:
            raise DocumentInvalid(f"{operation}() cannot change `{name}` of {document_id}")
    return {name: value for name, value in fields.items() if name not in own}


def _system_fields(stored: Stored) -> dict[str, Any]:
    value = stored.value
    return {"_id": value["_id"], "_creationTime": value["_creationTime"]}


_ANSWERS: dict[type, Callable[[Transaction, Any], Any]] = {
    requests.Get: Transaction._get,
    requests.Scan: Transaction._scan,
    requests.ScanMore: Transaction._scan_more,
    requests.Page: Transaction._page,
    requests.PageEnd: Transaction._page_end,
    requests.Identity: Transaction._who,
    requests.Insert: Transaction._insert,
    requests.Patch: Transaction._patch,
    requests.Replace: Transaction._replace,
    requests.Delete: Transaction._delete,
    requests.UploadUrl: files.upload_url,
    requests.FileUrl: files.url,
    requests.FileFacts: files.metadata,
    requests.DeleteFile: files.delete,
}
