"""The catalog: which number stands for which table and index."""

from __future__ import annotations

from headwater.core.catalog import Catalog
from headwater.core.ids import make_id
from headwater.core.manifest import IndexSpec, TableSpec
from headwater.core.storage.sqlite import SqliteStorage


def test_a_catalog_is_the_same_after_saving() -> None:
    """Numbers, indexes and the next free number."""
    storage, catalog = SqliteStorage(), Catalog()
    catalog.add_index("tasks", "by_title", ("title",))
    storage.begin()
    catalog.save(storage)
    storage.commit()
    loaded = Catalog.load(storage)
    assert loaded.tables == catalog.tables
    assert loaded.table("new").number == catalog.table("new").number


def test_numbers_are_never_used_twice() -> None:
    """Not even those of an index that is gone: old keys would come to life."""
    catalog = Catalog()
    first = catalog.add_index("tasks", "by_title", ("title",)).number
    catalog.drop_index("tasks", "by_title")
    assert catalog.add_index("tasks", "by_title", ("title",)).number > first


def test_a_table_is_read_from_an_id() -> None:
    """Ids of tables that are not there, and other texts, belong to none."""
    catalog = Catalog()
    number = catalog.table("tasks").number
    assert catalog.table_of(make_id(number, bytes(14), 0)) == "tasks"
    assert catalog.table_of(make_id(number + 7, bytes(14), 0)) is None
    assert catalog.table_of("no id") is None


def test_a_table_that_comes_later_is_found() -> None:
    """An id that belonged to no table does when its table was made."""
    catalog = Catalog()
    document_id = make_id(1, bytes(14), 0)
    assert catalog.table_of(document_id) is None
    catalog.table("tasks")
    assert catalog.table_of(document_id) == "tasks"


def test_a_copy_goes_its_own_way() -> None:
    """What is changed in one is not in the other."""
    catalog = Catalog()
    catalog.table("tasks")
    copied = catalog.copy()
    catalog.add_index("tasks", "by_title", ("title",))
    assert "by_title" not in copied.tables["tasks"].indexes


def test_stale_indexes_are_those_gone_or_changed() -> None:
    """The built-in one never is."""
    catalog = Catalog()
    for name in ("kept", "changed", "gone"):
        catalog.add_index("tasks", name, ("title",))
    spec = TableSpec(
        "tasks", indexes=(IndexSpec("kept", ("title",)), IndexSpec("changed", ("rank",)))
    )
    assert set(catalog.stale_indexes(spec)) == {"changed", "gone"}
