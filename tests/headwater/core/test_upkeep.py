"""Pieces of work beside the calls: whole or not at all."""

from __future__ import annotations

import pytest

from headwater.core import upkeep as upkeep_module
from headwater.core.keys import index_prefix, successor
from headwater.core.upkeep import Upkeep, with_transaction
from tests.headwater.core.stores import Store


@pytest.fixture
def store() -> Store:
    """Five tasks."""
    made = Store()
    for title in "edcba":
        made.insert(title)
    return made


def test_a_step_that_fails_leaves_catalog_and_storage_as_they_were(store: Store) -> None:
    """Numbers given out in it may be given again, for nobody has seen them."""
    before = store.database.catalog.body()

    def fail() -> None:
        store.database.catalog.discard_index("tasks", "by_title")
        store.database.storage.put_record("x", b"y")
        raise KeyError("fault")

    with pytest.raises(KeyError):
        with_transaction(store.database, fail)
    assert store.database.catalog.body() == before
    assert store.database.storage.record("x") is None
    assert store.titles() == ["e", "d", "c", "b", "a"]


def test_entries_of_a_gone_index_are_removed_in_pieces(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece is bounded; the number is forgotten with the last one."""
    monkeypatch.setattr(upkeep_module, "_PIECE_ENTRIES", 2)
    number = store.database.catalog.tables["tasks"].indexes["by_title"].number
    prefix = index_prefix(number)
    with_transaction(
        store.database, lambda: store.database.catalog.discard_index("tasks", "by_title")
    )
    upkeep, left = Upkeep(store.database), []
    while upkeep.needed:
        assert upkeep.step() is False
        left.append(store.database.storage.count(prefix, successor(prefix), 10))
    assert left == [3, 1, 0]
    assert store.database.catalog.garbage == []


def test_nothing_to_do_is_seen_at_once(store: Store) -> None:
    """A server without unfinished indexes is not kept busy."""
    assert not Upkeep(store.database).needed
