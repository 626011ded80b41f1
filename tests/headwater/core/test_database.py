"""A database: documents kept decoded, index entries read in chunks, creation times that rise."""

from __future__ import annotations

import pytest

from headwater.core import database as database_module
from headwater.core import requests
from headwater.core.documents import Stored
from headwater.core.storage import Writes
from tests.headwater.core.stores import Store, database_of


def test_a_document_is_decoded_once_while_it_is_kept() -> None:
    """Every call shares the version; after a reset it is read anew."""
    store = Store()
    document_id = store.insert("a")
    found = store.database.document(document_id)
    assert store.database.document(document_id) is found
    store.database.reset()
    again = store.database.document(document_id)
    assert again is not found
    assert again is not None
    assert again.value["title"] == "a"


def test_what_is_not_there_is_none() -> None:
    """No document, no error."""
    assert database_of().document("nothing") is None


def test_creation_times_rise() -> None:
    """Also within a millisecond, and when the clock goes back."""
    database = database_of()
    times = [database.creation_time(now) for now in (5.0, 5.0, 3.0, 9.0)]
    assert times[0] == 5.0
    assert times == sorted(set(times))
    assert times[3] == 9.0


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest versions go when the kept bytes pass the bound."""
    monkeypatch.setattr(database_module, "_CACHE_BYTES", 1000)
    database = database_of()
    for number in range(100):
        database.remember(Stored(f"id{number}", "tasks", b"x" * 100))
    assert len(database._cache) <= 10
    assert "id99" in database._cache
    assert database._cached_bytes == 100 * len(database._cache)


def test_entries_come_in_chunks_without_gap_or_repetition() -> None:
    """600 entries, in both directions, are given as one sequence."""
    database = database_of()
    keys = [number.to_bytes(2, "big") for number in range(600)]
    database.storage.begin()
    database.storage.write(Writes(entries={key: key.hex() for key in keys}))
    database.storage.commit()
    up = [key for key, _ in database.entries(keys[0], keys[-1], False)]
    down = [key for key, _ in database.entries(keys[0], keys[-1], True)]
    assert up == keys[:-1]
    assert down == keys[-2::-1]


def test_entries_are_read_as_they_are_asked_for() -> None:
    """Whoever stops after the first has caused one chunk to be read."""
    store = Store()
    store.insert("a")
    transaction = store.begin(writable=False)
    batch = transaction.answer(requests.Scan(requests.Range("tasks"), 1))
    assert [stored.value["title"] for stored in batch.documents] == ["a"]
