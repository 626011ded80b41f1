"""One transaction: what it sees, what it notes, and where it stops."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headwater.core import requests
from headwater.core.keys import document_key
from headwater.core.requests import (
    Bound,
    Delete,
    Get,
    Insert,
    Patch,
    Range,
    Replace,
    Scan,
    ScanMore,
)
from headwater.core.transaction import Transaction
from headwater.errors import (
    DocumentInvalid,
    DocumentMissing,
    InvalidStorageId,
    LimitExceeded,
    QueryInvalid,
)
from headwater.settings import Limits
from tests.headwater.core.stores import Store


def insert(transaction: Transaction, title: str = "a") -> str:
    """A new task."""
    made: str = transaction.answer(Insert("tasks", {"title": title}))
    return made


def titles(transaction: Transaction, **range_: Any) -> list[str]:
    """The titles this transaction sees."""
    batch = transaction.answer(Scan(Range("tasks", **range_), None))
    return [stored.value["title"] for stored in batch.documents]


def test_a_transaction_sees_its_own_writes() -> None:
    """Inserted, patched, replaced and deleted documents, through any index."""
    store = Store()
    a, b, c = (store.insert(title) for title in "abc")
    transaction = store.begin()
    transaction.answer(Patch(a, {"title": "x"}))
    transaction.answer(Replace(b, {"title": "y"}))
    transaction.answer(Delete(c))
    insert(transaction, "w")
    assert titles(transaction, index="by_title") == ["w", "x", "y"]
    assert store.titles() == ["a", "b", "c"]


def test_going_back_to_a_mark_undoes_what_came_after() -> None:
    """What a failed part wrote is gone; what came before stays."""
    transaction = Store().begin()
    insert(transaction, "kept")
    mark = transaction.mark()
    insert(transaction, "gone")
    transaction.restore(mark)
    assert titles(transaction) == ["kept"]


def test_a_get_reads_a_point() -> None:
    """Also when nothing is there: whoever makes it touches this read."""
    store = Store()
    document_id = store.insert("a")
    reader = store.begin(writable=False)
    reader.answer(Get(document_id))
    assert reader.reads.overlaps([document_key(document_id)])
    assert reader.counters.documents_read == 1


def test_a_scan_reads_as_far_as_the_handler_came() -> None:
    """Not what was read ahead: a change behind that point does not concern it."""
    store = Store()
    keys = dict.fromkeys("abc")
    del keys
    first, last = store.insert("a"), store.insert("c")
    transaction = store.begin(writable=False)
    batch = transaction.answer(Scan(Range("tasks", "by_title"), 8, stream=True))
    batch.scan.used = 1
    transaction.finish()
    assert transaction.reads.overlaps(changed(store, first))
    assert not transaction.reads.overlaps(changed(store, last))


def changed(store: Store, document_id: str) -> set[bytes]:
    """The keys a patch of a document would touch."""
    transaction = store.begin()
    transaction.answer(Patch(document_id, {"rank": 9.0}))
    return transaction.overlay.write_set().keys


def test_a_scan_that_found_nothing_reads_its_range() -> None:
    """The insert of what it missed touches it."""
    store = Store()
    transaction = store.begin(writable=False)
    transaction.answer(Scan(Range("tasks", "by_title", [("title", "new")]), None))
    transaction.finish()
    for title, touched in (("new", True), ("other", False)):
        writer = store.begin()
        insert(writer, title)
        assert transaction.reads.overlaps(writer.overlay.write_set().keys) == touched


def test_a_scan_goes_on_where_it_stopped() -> None:
    """Batch by batch, until one is done."""
    store = Store()
    for title in "abc":
        store.insert(title)
    transaction = store.begin(writable=False)
    batch = transaction.answer(Scan(Range("tasks"), 2))
    more = transaction.answer(ScanMore(batch.scan, 2))
    assert [stored.value["title"] for stored in more.documents] == ["c"]
    assert (batch.done, more.done) == (False, True)


def test_the_identity_is_noted_when_it_is_asked_for() -> None:
    """Only then does the result depend on it."""
    transaction = Transaction(Store().database, identity={"subject": "ana"})
    assert not transaction.identity_read
    assert transaction.answer(requests.Identity()) == {"subject": "ana"}
    assert transaction.identity_read


def test_a_query_does_not_write() -> None:
    """Whatever its handler laid hands on."""
    with pytest.raises(QueryInvalid, match="a query only reads"):
        insert(Store().begin(writable=False))


@pytest.mark.parametrize(
    "write", [Patch("", {"rank": 1.0}), Replace("", {"title": "a"}), Delete("")]
)
def test_writing_what_is_gone_is_refused(write: Any) -> None:
    """Patch, replace and delete name the operation and the id."""
    store = Store()
    write = replace(write, id=store.insert("a"))
    transaction = store.begin()
    transaction.answer(Delete(write.id))
    with pytest.raises(DocumentMissing, match=f"on nonexistent document ID {write.id}"):
        transaction.answer(write)


def test_an_id_is_checked() -> None:
    """A text that is none, and an id of another table than the one named."""
    store = Store()
    document_id = store.insert("a")
    transaction = store.begin()
    with pytest.raises(InvalidStorageId, match="'nonsense' is no document id"):
        transaction.answer(Get("nonsense"))
    with pytest.raises(InvalidStorageId, match="expected an id of table `users`, got"):
        transaction.answer(Get(document_id, "users"))


def test_replace_tolerates_the_document_s_own_system_fields() -> None:
    """But not those of another one."""
    store = Store()
    document_id = store.insert("a")
    transaction = store.begin()
    own = transaction.answer(Get(document_id)).value
    transaction.answer(Replace(document_id, {**own, "title": "b"}))
    with pytest.raises(DocumentInvalid, match="cannot change `_creationTime`"):
        transaction.answer(Replace(document_id, {**own, "_creationTime": 1.0}))


@pytest.mark.parametrize("name", ["_tasks", "my tasks", "tâches", "1st"])
def test_a_table_has_a_plain_name(name: str) -> None:
    """Undeclared ones come into being with their first document, not under any name."""
    with pytest.raises(DocumentInvalid, match="is no table name"):
        Store().begin().answer(Insert(name, {}))


def test_an_undeclared_table_comes_into_being() -> None:
    """A reader of the empty table hears of it."""
    store = Store()
    reader = store.begin(writable=False)
    assert reader.answer(Scan(Range("notes"), None)).documents == []
    reader.finish()
    writer = store.begin()
    writer.answer(Insert("notes", {"text": "a"}))
    assert reader.reads.overlaps(store.keep(writer).keys)


# --- limits, each at its edge ---


def filled(count: int, **limits: Any) -> Store:
    """A store of so many tasks with other limits."""
    store = Store()
    for _ in range(count):
        store.insert("a")
    store.database.limits = Limits(**limits)
    return store


@pytest.mark.parametrize("limit", [None, 4, 100])
def test_documents_read_is_a_limit(limit: int | None) -> None:
    """Three may be read of three; a fourth is one too many, however it is asked for."""
    assert len(titles(filled(3, documents_read=3).begin())) == 3
    transaction = filled(4, documents_read=3).begin()
    with pytest.raises(LimitExceeded, match="limit of 3 documents read while reading table tasks"):
        transaction.answer(Scan(Range("tasks"), limit))


def test_documents_read_counts_every_read_of_a_call() -> None:
    """Gets and scans together."""
    store = filled(2, documents_read=3)
    transaction = store.begin()
    batch = transaction.answer(Scan(Range("tasks"), None))
    transaction.answer(Get(batch.documents[0].id))
    with pytest.raises(LimitExceeded, match="limit of 3 documents read"):
        transaction.answer(Get(batch.documents[0].id))


@pytest.mark.parametrize("spare", [0, -1])
def test_bytes_read_is_a_limit(spare: int) -> None:
    """Exactly as many bytes as are stored may be read, not one less, by scan and by get."""
    store = filled(2)
    batch = store.begin().answer(Scan(Range("tasks"), None))
    bytes_ = sum(len(stored.body) for stored in batch.documents)
    store.database.limits = Limits(bytes_read=bytes_ + spare)
    scanning, getting = store.begin(), store.begin()
    getting.answer(Get(batch.documents[0].id))
    for transaction, request in (
        (scanning, Scan(Range("tasks"), None)),
        (getting, Get(batch.documents[1].id)),
    ):
        if spare == 0:
            transaction.answer(request)
            continue
        with pytest.raises(LimitExceeded, match="bytes read"):
            transaction.answer(request)


def test_ranges_read_is_a_limit() -> None:
    """Each range is kept for invalidation, so their number is bounded."""
    transaction = filled(0, ranges_read=2).begin()
    one = Range("tasks", "by_title", lower=Bound("title", "a", True))
    transaction.answer(Scan(one, 1))
    transaction.answer(Scan(one, 1))
    with pytest.raises(LimitExceeded, match="limit of 2 ranges read"):
        transaction.answer(Scan(one, 1))


def test_documents_written_is_a_limit() -> None:
    """Inserts, patches and deletes count alike."""
    transaction = filled(0, documents_written=3).begin()
    document_id = insert(transaction)
    transaction.answer(Patch(document_id, {"rank": 1.0}))
    transaction.answer(Delete(document_id))
    with pytest.raises(LimitExceeded, match="limit of 3 documents written"):
        insert(transaction)


@pytest.mark.parametrize("spare", [0, -1])
def test_bytes_written_is_a_limit(spare: int) -> None:
    """Exactly so many bytes may be written, by the rule of sizes."""
    store = filled(1)
    size = store.begin().answer(Scan(Range("tasks"), None)).documents[0].size
    store.database.limits = Limits(bytes_written=2 * size + spare)
    transaction = store.begin()
    insert(transaction)
    if spare == 0:
        insert(transaction)
        return
    with pytest.raises(LimitExceeded, match="bytes written"):
        insert(transaction)


@pytest.mark.parametrize("spare", [0, -1])
def test_document_bytes_is_a_limit(spare: int) -> None:
    """A document of exactly the limit is stored, one byte more is not."""
    store = filled(1)
    size = store.begin().answer(Scan(Range("tasks"), None)).documents[0].size
    store.database.limits = Limits(document_bytes=size + spare)
    transaction = store.begin()
    if spare == 0:
        insert(transaction)
        return
    with pytest.raises(LimitExceeded, match=f"has {size} bytes, the limit is {size - 1}"):
        insert(transaction)


@pytest.mark.parametrize("over", [0, 1])
def test_object_fields_is_a_limit_of_documents(over: int) -> None:
    """With the two system fields; also where a patch adds the last ones."""
    store = Store()
    transaction = store.begin()
    count = Limits().object_fields - 2 + over
    fields = {f"f{number}": 1.0 for number in range(count)}
    made = transaction.answer(Insert("notes", {"first": 1.0}))
    if over:
        with pytest.raises(LimitExceeded, match="has 1026 fields, the limit is 1024"):
            transaction.answer(Patch(made, fields))
        return
    transaction.answer(Replace(made, fields))
    store.keep(transaction)
    store.database.reset()
    found = store.begin().answer(Get(made))
    assert len(found.value) == Limits().object_fields


@pytest.mark.parametrize("over", [0, 1])
def test_document_depth_is_a_limit(over: int) -> None:
    """The document itself is the first of sixteen levels."""
    value: Any = 1.0
    for _ in range(Limits().document_depth - 1 + over):
        value = [value]
    transaction = Store().begin()
    if not over:
        transaction.answer(Insert("notes", {"deep": value}))
        return
    with pytest.raises(LimitExceeded, match="nested deeper than 16 levels"):
        transaction.answer(Insert("notes", {"deep": value}))
