"""The write set of one transaction, over what the database holds."""

from __future__ import annotations

from typing import Any

from headwater.core.catalog import Catalog
from headwater.core.documents import Stored
from headwater.core.keys import document_key, entry_key, index_prefix, successor
from headwater.core.overlay import Overlay


class World:
    """A catalog with one index, and an overlay over it."""

    def __init__(self) -> None:
        self.catalog = Catalog()
        self.number = self.catalog.add_index("tasks", "by_title", ("title",)).number
        self.overlay = Overlay(self.catalog)

    def key(self, stored: Stored) -> bytes:
        """A version's entry in the index by title."""
        return entry_key(self.number, ("title",), stored.value)

    def read(self, *stored: Stored, descending: bool = False) -> list[str]:
        """Ids in the index by title, of these stored versions and the overlay's own."""
        prefix = index_prefix(self.number)
        entries = [(self.key(one), one.id) for one in stored]
        entries.sort(reverse=descending)
        found = self.overlay.merged(entries, prefix, successor(prefix), descending)
        return [document_id for _, document_id in found]


def task(document_id: str, title: str, **fields: Any) -> Stored:
    """A version of a task."""
    return Stored.of("tasks", {"_id": document_id, "_creationTime": 1.0, "title": title, **fields})


def test_own_writes_are_merged_into_what_is_stored() -> None:
    """An insert appears, a delete disappears, a patch moves; in both directions."""
    world = World()
    a, b, c = task("1", "a"), task("2", "b"), task("3", "c")
    world.overlay.put("4", None, task("4", "bb"))
    world.overlay.put("1", a, None)
    world.overlay.put("2", b, task("2", "z"))
    assert world.read(a, b, c) == ["4", "3", "2"]
    assert world.read(a, b, c, descending=True) == ["2", "3", "4"]


def test_the_write_set_names_old_and_new_keys() -> None:
    """A reader of the place a document left must hear of it, as one of where it went."""
    world = World()
    old, new = task("1", "a"), task("1", "b")
    world.overlay.put("1", old, new)
    found = world.overlay.write_set()
    assert {world.key(old), world.key(new), document_key("1")} <= found.keys
    assert found.writes.entries[world.key(old)] is None
    assert found.writes.entries[world.key(new)] == "1"
    assert found.writes.documents == {"1": new.body}


def test_an_index_that_did_not_move_is_not_written() -> None:
    """But its readers hear of the new version all the same."""
    world = World()
    old, new = task("1", "a"), task("1", "a", rank=1.0)
    world.overlay.put("1", old, new)
    found = world.overlay.write_set()
    assert found.writes.entries == {}
    assert world.key(new) in found.keys


def test_what_is_as_before_is_no_change() -> None:
    """Written back as it was, or made and removed again."""
    world = World()
    old = task("1", "a")
    world.overlay.put("1", old, task("1", "b"))
    world.overlay.put("1", task("1", "b"), task("1", "a"))
    world.overlay.put("2", None, task("2", "x"))
    world.overlay.put("2", task("2", "x"), None)
    found = world.overlay.write_set()
    assert (found.keys, found.documents, found.writes.documents) == (set(), {}, {})


def test_a_copy_is_what_a_failed_part_falls_back_to() -> None:
    """Later writes are in the one and not in the other."""
    world = World()
    world.overlay.put("1", None, task("1", "a"))
    kept = world.overlay.copy()
    world.overlay.put("2", None, task("2", "b"))
    world.overlay = kept
    assert world.read() == ["1"]
    assert not kept.holds("2")
    assert len(kept) == 1
