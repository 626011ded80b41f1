"""What the engine needs of every storage."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.core.storage import Entry, SessionRequest, Storage, Writes
from headwater.core.storage.sqlite import SqliteStorage
from tests.storage.conftest import DURABLE, STORAGES

ALL = (b"", b"\xff" * 8)


def put(storage: Storage, *entries: Entry) -> None:
    """Commits entries, each with a document of its id."""
    storage.begin()
    documents: dict[str, bytes | None] = {name: name.encode() for _, name in entries}
    storage.write(Writes(documents, dict(entries)))
    storage.commit()


def noted(session: str, request: int, ts: int) -> SessionRequest:
    """An applied mutation."""
    return SessionRequest(session, request, b"mark", ts, b'"value"', b"[]")


def test_entries_of_a_range_are_counted_up_to_a_limit(storage: Storage) -> None:
    """Those inside it, and no further than asked."""
    put(storage, (b"a", "1"), (b"b", "2"), (b"c", "3"))
    assert [storage.count(b"a", b"c", n) for n in (1, 2, 9)] == [1, 2, 2]


def test_entries_of_a_range_are_dropped_bit_by_bit(storage: Storage) -> None:
    """The first ones first, as many as asked; it says how many went."""
    put(storage, (b"a", "1"), (b"b", "2"), (b"c", "3"), (b"d", "4"))
    storage.begin()
    assert storage.drop_entries(b"b", b"z", 2) == 2
    assert list(storage.scan(*ALL, False, 10)) == [(b"a", "1"), (b"d", "4")]
    assert storage.drop_entries(b"b", b"z", 2) == 1
    storage.commit()


def test_documents_of_a_range_are_dropped(storage: Storage) -> None:
    """Those that its entries name, and no others; the entries stay."""
    put(storage, (b"a", "1"), (b"b", "2"), (b"c", "3"))
    storage.begin()
    assert storage.drop_documents(b"b", b"z") == 2
    storage.commit()
    assert [storage.document(name) for name in "123"] == [b"1", None, None]
    assert len(storage.scan(*ALL, False, 10)) == 3


def test_a_new_storage_is_empty(storage: Storage) -> None:
    """Nothing is found in it, and nothing is wrong with asking."""
    assert storage.document("nothing") is None
    assert storage.record("nothing") is None
    assert storage.session_request("nobody", 0) is None
    assert list(storage.scan(*ALL, False, 10)) == []


def test_a_transaction_sees_its_own_writes(storage: Storage) -> None:
    """Before the commit, later reads of the same transaction see what was written."""
    storage.begin()
    storage.write(Writes({"a": b"1"}, {b"k": "a"}))
    storage.put_record("r", b"2")
    assert (storage.document("a"), storage.record("r")) == (b"1", b"2")
    assert list(storage.scan(*ALL, False, 10)) == [(b"k", "a")]
    storage.rollback()


def test_a_rolled_back_transaction_leaves_nothing(storage: Storage) -> None:
    """Documents, entries, records and notes of it are all gone."""
    storage.begin()
    storage.write(Writes({"a": b"1"}, {b"k": "a"}))
    storage.put_record("r", b"2")
    storage.put_session_requests([noted("s", 1, 1)])
    storage.rollback()
    assert (storage.document("a"), storage.record("r")) == (None, None)
    assert storage.session_request("s", 1) is None
    assert list(storage.scan(*ALL, False, 10)) == []


def test_a_committed_transaction_stays(storage: Storage) -> None:
    """A rollback after a commit takes nothing back."""
    put(storage, (b"k", "a"))
    storage.begin()
    storage.rollback()
    assert storage.document("a") == b"a"


def test_rollback_without_a_transaction_does_nothing(storage: Storage) -> None:
    """The engine may roll back to be sure."""
    storage.rollback()
    put(storage, (b"k", "a"))
    assert storage.document("a") == b"a"


def test_later_writes_replace_earlier_ones(storage: Storage) -> None:
    """A document or an entry has one version: the newest; None takes it away."""
    put(storage, (b"k", "a"), (b"l", "b"))
    storage.begin()
    storage.write(Writes({"a": b"new", "b": None}, {b"k": "c", b"l": None}))
    storage.commit()
    assert (storage.document("a"), storage.document("b")) == (b"new", None)
    assert list(storage.scan(*ALL, False, 10)) == [(b"k", "c")]


def test_a_scan_takes_the_start_and_leaves_the_end(storage: Storage) -> None:
    """Ranges are half open."""
    put(storage, (b"a", "1"), (b"b", "2"), (b"c", "3"))
    assert list(storage.scan(b"a", b"c", False, 10)) == [(b"a", "1"), (b"b", "2")]


def test_a_scan_stops_at_its_limit(storage: Storage) -> None:
    """It gives the first ones in its own direction."""
    put(storage, (b"a", "1"), (b"b", "2"), (b"c", "3"))
    assert [i for _, i in storage.scan(*ALL, False, 2)] == ["1", "2"]
    assert [i for _, i in storage.scan(*ALL, True, 2)] == ["3", "2"]


def test_documents_are_scanned_by_their_keys(storage: Storage) -> None:
    """In the order of their ids, either way; any bytes may be a bound."""
    storage.begin()
    storage.write(Writes({"a1": b"x", "a2": b"y", "b1": b"z"}, {b"ia": "a1"}))
    storage.commit()
    both = [(b"da1", "a1"), (b"da2", "a2")]
    assert list(storage.scan(b"da", b"db", False, 10)) == both
    assert list(storage.scan(b"da1\x00", b"d\xff\xfe", True, 1)) == [(b"db1", "b1")]


entry_keys = st.binary(max_size=4).map(lambda key: b"i" + key)


@pytest.mark.parametrize("name", STORAGES)
@given(
    keys=st.lists(entry_keys, max_size=12, unique=True),
    bounds=st.tuples(entry_keys, entry_keys),
    descending=st.booleans(),
    limit=st.integers(1, 5),
)
def test_scans_are_in_the_order_of_bytes(
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
    keys: list[bytes],
    bounds: tuple[bytes, bytes],
    descending: bool,
    limit: int,
) -> None:
    """Zero bytes, all ones and prefixes included, keys compare as bytes do."""
    storage = STORAGES[name](tmp_path_factory.mktemp("scan"))
    put(storage, *((key, key.hex()) for key in keys))
    inside = sorted((k for k in keys if bounds[0] <= k < bounds[1]), reverse=descending)
    found = [key for key, _ in storage.scan(*bounds, descending, limit)]
    storage.close()
    assert found == inside[:limit]


def test_dropped_entries_leave_their_neighbours(storage: Storage) -> None:
    """Dropping a range of entries is half open too, and leaves documents alone."""
    put(storage, (b"a", "1"), (b"b", "2"), (b"c", "3"))
    storage.begin()
    storage.drop_entries(b"b", b"c")
    storage.commit()
    assert [key for key, _ in storage.scan(*ALL, False, 10)] == [b"a", b"c"]
    assert storage.document("2") == b"2"


def test_records_hold_any_bytes(storage: Storage) -> None:
    """A record is what was put last."""
    storage.begin()
    storage.put_record("r", b"old")
    storage.put_record("r", bytes(range(256)))
    storage.commit()
    assert storage.record("r") == bytes(range(256))


def test_an_applied_mutation_is_recognised(storage: Storage) -> None:
    """By session and request id together, with everything that was noted."""
    storage.begin()
    storage.put_session_requests([noted("s", 1, 5), noted("s", 2, 6), noted("t", 1, 7)])
    storage.commit()
    assert storage.session_request("s", 2) == noted("s", 2, 6)
    assert storage.session_request("t", 2) is None


def test_notes_are_forgotten_by_age(storage: Storage) -> None:
    """What is older than a timestamp goes; what is as old stays."""
    storage.begin()
    storage.put_session_requests([noted("s", 1, 5), noted("s", 2, 6)])
    storage.forget_session_requests(6)
    storage.commit()
    assert storage.session_request("s", 1) is None
    assert storage.session_request("s", 2) == noted("s", 2, 6)


@pytest.mark.parametrize("name", DURABLE)
def test_what_was_committed_is_there_after_reopening(name: str, tmp_path: Path) -> None:
    """Documents, entries, records and notes outlive the process."""
    first = STORAGES[name](tmp_path)
    put(first, (b"k", "a"))
    first.begin()
    first.put_record("r", b"2")
    first.put_session_requests([noted("s", 1, 5)])
    first.commit()
    first.close()
    second = STORAGES[name](tmp_path)
    found = second.document("a"), second.record("r"), second.session_request("s", 1)
    entries = list(second.scan(*ALL, False, 10))
    second.close()
    assert found == (b"a", b"2", noted("s", 1, 5))
    assert entries == [(b"k", "a")]


@pytest.mark.parametrize("name", DURABLE)
def test_what_was_not_committed_is_gone_after_reopening(name: str, tmp_path: Path) -> None:
    """A store closed in the middle of a transaction forgets the transaction."""
    first = STORAGES[name](tmp_path)
    put(first, (b"k", "a"))
    first.begin()
    first.write(Writes({"b": b"2"}, {b"l": "b"}))
    first.close()
    second = STORAGES[name](tmp_path)
    entries = list(second.scan(*ALL, False, 10))
    second.close()
    assert entries == [(b"k", "a")]


def test_memory_is_the_default() -> None:
    """A storage without a path keeps nothing on disk."""
    storage = SqliteStorage()
    put(storage, (b"k", "a"))
    storage.close()
