"""A new manifest meets the stored documents."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from headwater.core.manifest import IndexSpec, Manifest, TableSpec
from headwater.core.migration import Migration, adopt, documents
from headwater.core.requests import Insert, Range, Scan
from headwater.core.validators import AnyValue, Field, Number, Object, String
from headwater.errors import QueryInvalid, SchemaMismatch
from tests.headwater.core.stores import MANIFEST, TASKS, Store


def manifest_of(table: TableSpec) -> Manifest:
    """A manifest of one table."""
    return Manifest({table.name: table})


@pytest.fixture
def store() -> Store:
    """Two tasks, the later one of the lower rank."""
    made = Store()
    made.insert("b", rank=2.0)
    made.insert("a", rank=1.0)
    return made


def test_a_new_index_is_filled(store: Store) -> None:
    """For the documents that are there already; also by more than one chunk of them."""
    for number in range(600):
        store.insert(f"many {number:03}", rank=3.0)
    table = replace(TASKS, indexes=(IndexSpec("by_both", ("rank", "title")),))
    adopt(store.database, manifest_of(table))
    found = store.titles(Range("tasks", "by_both"))
    assert found[:3] == ["a", "b", "many 000"]
    assert len(found) == 602


def test_an_index_that_is_gone_is_gone(store: Store) -> None:
    """It cannot be read, and its entries are removed."""
    number = store.database.catalog.tables["tasks"].indexes["by_title"].number
    adopt(store.database, manifest_of(replace(TASKS, indexes=())))
    with pytest.raises(QueryInvalid, match="has no index `by_title`"):
        store.titles(Range("tasks", "by_title"))
    prefix = b"i" + number.to_bytes(4, "big")
    left = store.database.storage.scan(prefix, prefix + b"\xff", False, 10)
    assert list(left) == []


def test_an_index_with_other_fields_is_made_anew(store: Store) -> None:
    """Under its old name; no entry of the old one is met."""
    table = replace(TASKS, indexes=(IndexSpec("by_title", ("rank",)),))
    adopt(store.database, manifest_of(table))
    assert store.titles(Range("tasks", "by_title")) == ["a", "b"]


def test_documents_that_do_not_fit_are_reported(store: Store) -> None:
    """By table, id and field, with what to do; the old manifest stays in force."""
    document_id = store.begin().answer(Scan(Range("tasks"), 1)).documents[0].id
    shape = Object({"title": Field(Number()), "rank": Field(Number(), True)})
    with pytest.raises(SchemaMismatch) as error:
        adopt(store.database, manifest_of(TableSpec("tasks", shape)))
    assert f"tasks {document_id}: " in str(error.value)
    assert "Expected number, got string: 'b' Path: .title" in str(error.value)
    assert "Fix:" in error.value.message
    assert store.database.manifest == MANIFEST
    assert store.titles(Range("tasks", "by_title")) == ["a", "b"]


def test_many_misfits_are_counted(store: Store) -> None:
    """Ten are shown, the rest is a number."""
    for _ in range(10):
        store.insert("x")
    shape = Object({"title": Field(Number()), "rank": Field(Number(), True)})
    with pytest.raises(SchemaMismatch, match=r"\.\.\. and 2 more"):
        adopt(store.database, manifest_of(TableSpec("tasks", shape)))


def test_numbers_given_out_survive_a_refused_manifest(store: Store) -> None:
    """A reader of a table nobody has written to still hears of its first document."""
    reader = store.begin(writable=False)
    reader.answer(Scan(Range("notes"), None))
    reader.finish()
    wrong = TableSpec("tasks", Object({"title": Field(Number())}))
    with pytest.raises(SchemaMismatch):
        adopt(store.database, Manifest({"tasks": wrong, "other": TableSpec("other")}))
    for table, touched in (("more", False), ("notes", True)):
        writer = store.begin()
        writer.answer(Insert(table, {"text": "a"}))
        assert reader.reads.overlaps(store.keep(writer).keys) == touched


def test_a_table_that_is_no_longer_declared_keeps_its_documents(store: Store) -> None:
    """They are reached by name, and checked again when a class declares it anew."""
    adopt(store.database, Manifest())
    assert store.titles() == ["b", "a"]
    adopt(
        store.database,
        manifest_of(
            TableSpec("tasks", Object({"title": Field(AnyValue()), "rank": Field(Number())}))
        ),
    )
    assert [stored.value["title"] for stored in documents(store.database, "tasks")] == ["b", "a"]


def test_what_was_written_while_no_class_declared_a_table_is_checked(store: Store) -> None:
    """Also when the class comes back as it was: by name anything may have been written."""
    adopt(store.database, Manifest())
    store.insert("c", rank="high")
    with pytest.raises(SchemaMismatch, match="Expected number, got string: 'high'"):
        adopt(store.database, MANIFEST)


def test_a_wider_shape_needs_no_check(store: Store) -> None:
    """An optional field more: no document is looked at; the same without `optional`: all are."""
    for optional, looked_at in ((True, 0), (False, 2)):
        fields = {"title": Field(String()), "rank": Field(Number(), True)}
        shape = Object({**fields, "done": Field(AnyValue(), optional)})
        migration = Migration(store.database, manifest_of(replace(TASKS, document=shape)))
        with suppress(SchemaMismatch):
            while migration.check():
                pass
        assert migration.checked == looked_at


def test_the_same_manifest_again_changes_nothing(store: Store) -> None:
    """Documents are not checked again, indexes not filled again."""
    tables = store.database.catalog.copy().tables
    adopt(store.database, manifest_of(replace(TASKS)))
    assert store.database.catalog.tables == tables
