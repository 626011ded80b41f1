"""Imports: modes, formats, ids of elsewhere, and that nothing is kept of one that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headwater.core.database import Database
from headwater.core.ids import make_id, table_of
from headwater.core.manifest import Manifest
from headwater.core.transaction import Transaction
from headwater.core.values import Int64
from headwater.data.importing import Mode
from headwater.errors import ImportRefused, StorageFailure
from tests.headwater.data.doors import ITEMS, MANIFEST, Door, lines, zip_of

CRON = {"name": "nightly", "function": "a.js:b", "args": [{}], "schedule": "daily", "nextRun": 1.0}


@pytest.fixture
def door(tmp_path: Path) -> Door:
    """An empty deployment."""
    return Door(tmp_path)


def refused(door: Door, name: str, text: str, mode: Mode = "empty") -> str:
    """Why a file is not imported; that nothing changed by it is looked at too."""
    before = door.all("items"), door.database.catalog.body()
    with pytest.raises(ImportRefused) as error:
        door.load_text(name, text, mode)
    assert (door.all("items"), door.database.catalog.body()) == before
    assert list(door.folder.glob("import*")) == []
    return str(error.value)


def test_lines_of_json(door: Door) -> None:
    """Each is a document with an id and a time of its own, in the file's order, and indexed."""
    summary = door.load_text("a.jsonl", lines({"title": "b", "rank": 1}, {"title": "a"}))
    assert (summary.imported, summary.removed) == ({"items": 2}, {})
    first, second = door.all("items")
    assert (first["title"], first["rank"], second["title"]) == ("b", 1.0, "a")
    assert first["_creationTime"] < second["_creationTime"]
    assert door.titles("by_title") == ["a", "b"]
    assert door.titles("by_rank") == ["a", "b"]


def test_an_array_of_json(door: Door) -> None:
    """The other form of JSON; what is no array says so."""
    door.load_text("a.json", '[{"title": "a", "count": 7}]')
    assert door.all("items")[0]["count"] == Int64(7)
    assert "not an array of objects" in refused(door, "b.json", '{"title": "a"}', "append")
    assert "not JSON" in refused(door, "c.json", "[", "append")


def test_cells_of_csv_are_what_the_table_declares(door: Door) -> None:
    """A text stays one though it looks like a number; an empty cell of an optional field is
    absent.
    """
    text = 'title,rank,count,done,note,tags,raw,kind\n007,1.5,12,true,,"[""x""]",AAE=,a\n'
    door.load_text("a.csv", text + "b,,,,,,,\n")
    first, second = door.all("items")
    expected = {"title": "007", "rank": 1.5, "count": Int64(12), "done": True, "note": ""}
    expected |= {"tags": ["x"], "raw": b"\x00\x01", "kind": "a"}
    assert {n: first[n] for n in expected} == expected
    assert {n for n in second if n[0] != "_"} == {"title", "note"}


def test_cells_for_an_undeclared_table_are_numbers_or_texts(tmp_path: Path) -> None:
    """As Convex reads them."""
    door = Door(tmp_path, Manifest())
    door.load_text("a.csv", "\ufefftitle,rank\na,1\nb,x\n")
    assert [(d["title"], d["rank"]) for d in door.all("items")] == [("a", 1.0), ("b", "x")]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", '{"title": "a"}\n{"title": 1}\n', "a.jsonl, line 2: "),
        ("a.jsonl", '{"title": "a"}\n{"title": 1}\n', "Path: .title"),
        ("a.jsonl", '{"title": "a"}\n\nno\n', "a.jsonl, line 3: not JSON"),
        ("a.jsonl", "[1]\n", "line 1: not an object"),
        ("a.jsonl", '{"rank": 1}\n', "missing the required field `title`"),
        ("a.jsonl", '{"title": "a", "x": 1}\n', "extra field `x`"),
        ("a.jsonl", '{"title": "a", "_id": "x"}\n', "is no id of table items; leave `_id` out"),
        ("a.jsonl", '{"title": "a", "_creationTime": "x"}\n', "is no time"),
        ("a.jsonl", '{"title": "a", "count": {"$integer": "x"}}\n', "malformed $integer"),
        ("a.jsonl", '{"title": "a", "raw": "?"}\n', "is not base64"),
        ("a.jsonl", '{"title": ' + "[" * 900 + "]" * 900 + "}\n", "nested deeper than"),
        ("a.csv", "title,rank\na\n", "a.csv, line 2: 1 cells, the header has 2"),
        ("a.csv", "", "the first line must name the fields"),
        ("a.csv", 'title\n"a', "not CSV in UTF-8"),
    ],
)
def test_a_wrong_file_is_refused_as_a_whole(door: Door, name: str, text: str, said: str) -> None:
    """With the file, the line and the field; the documents before the line are not kept either."""
    assert said in refused(door, name, text)


def test_many_wrong_lines_are_counted(door: Door) -> None:
    """Ten are shown, the rest is a number."""
    said = refused(door, "a.jsonl", "[]\n" * 15)
    assert said.count("not an object") == 10
    assert "... and 5 more" in said


def test_a_table_with_documents_is_not_imported_into_by_default(door: Door) -> None:
    """As Convex: the words people know, and how to go on."""
    door.insert("items", title="here")
    said = refused(door, "a.jsonl", lines({"title": "a"}))
    assert "Table items already exists. Please choose a new table name or use" in said


def test_append_adds_and_replace_takes_the_place(door: Door) -> None:
    """And the summary says how many went."""
    door.insert("items", title="here")
    door.load_text("a.jsonl", lines({"title": "a"}), "append")
    assert door.titles("by_title") == ["a", "here"]
    summary = door.load_text("b.jsonl", lines({"title": "b"}), "replace")
    assert (summary.imported, summary.removed) == ({"items": 1}, {"items": 2})
    assert door.titles("by_title") == door.titles("by_rank") == ["b"]


def test_replace_all_empties_the_other_tables(door: Door) -> None:
    """Replace leaves them."""
    door.insert("people", name="Ana")
    door.load_text("a.jsonl", lines({"title": "a"}), "replace")
    assert len(door.all("people")) == 1
    summary = door.load_text("a.jsonl", lines({"title": "a"}), "replace-all")
    assert summary.removed == {"items": 1, "people": 1}
    assert door.all("people") == []


def foreign(number: int, nth: int = 0) -> str:
    """An id of another deployment."""
    return make_id(number, bytes([nth] * 14), 1e12)


def test_ids_and_times_of_elsewhere_are_kept(door: Door) -> None:
    """The table takes their number; references between tables hold, new ids have it too."""
    ana, item = foreign(10_001), foreign(10_002)
    path = zip_of(
        door.folder / "a.zip",
        _tables__documents=lines({"name": "people", "id": 10_001}, {"name": "items", "id": 10_002}),
        people__documents=lines({"_id": ana, "_creationTime": 5.5, "name": "Ana"}),
        items__documents=lines({"_id": item, "_creationTime": 6.5, "title": "a", "owner": ana}),
    )
    door.load(path)
    expected = {"_id": item, "_creationTime": 6.5, "title": "a", "owner": ana}
    assert door.all("items") == [expected]
    assert table_of(door.insert("items", title="new")) == 10_002
    assert door.database.catalog.table_of(ana) == "people"


def test_tables_whose_numbers_are_swapped_elsewhere(tmp_path: Path) -> None:
    """Both are in the file, so each takes the other's number."""
    one, other = Door(tmp_path, seed=1), Door(tmp_path, Manifest({"items": ITEMS, **_people()}))
    assert other.database.catalog.tables["items"].number != (
        one.database.catalog.tables["items"].number
    )
    for door in (one, other):
        door.insert("people", name="Ana")
        door.insert("items", title=str(id(door)))
    other.load(one.export(), "replace")
    assert other.all("items") == one.all("items")
    assert other.all("people") == one.all("people")


def _people() -> dict[str, Any]:
    return {"people": MANIFEST.tables["people"]}


def test_a_number_of_a_table_that_stays_is_not_taken(door: Door) -> None:
    """Two tables cannot have it, and the documents of the one that stays keep theirs."""
    ana = door.insert("people", name="Ana")
    number = door.database.catalog.tables["people"].number
    row = {"_id": foreign(number, 3), "title": "a"}
    said = refused(door, "a.jsonl", lines(row), "replace")
    assert f"number {number}, which is that of table people here" in said
    assert door.database.catalog.table_of(ana) == "people"


def test_a_number_of_the_runtime_is_not_taken(door: Door) -> None:
    """Scheduled calls keep their ids whatever an import says, `replace-all` too."""

    def crons_of_an_older_database(database: Database) -> None:
        database.catalog.renumber("_crons", 10_005)

    def note(transaction: Transaction) -> None:
        transaction.system_insert("_crons", CRON)

    door.ask(crons_of_an_older_database, writes=True)
    door.transact(note)
    row = lines({"_id": foreign(10_005), "title": "a"})
    said = refused(door, "a.jsonl", row, "replace-all")
    assert "which is that of table _crons here" in said
    assert "Leave `_id` out of the file" in said
    number = door.database.catalog.tables["_scheduled_functions"].number
    said = refused(door, "a.jsonl", lines({"_id": foreign(number), "title": "a"}), "replace-all")
    assert f"number {number}, which no table can have" in said
    summary = door.load_text("b.jsonl", lines({"title": "a"}), "replace-all")
    assert summary.removed == {}
    assert [cron["name"] for cron in door.all("_crons")] == ["nightly"]


def test_ids_of_elsewhere_cannot_be_added_to_documents_from_here(door: Door) -> None:
    """A table has one number; `--replace` says how to go on."""
    door.insert("items", title="here")
    said = refused(door, "a.jsonl", lines({"_id": foreign(10_001), "title": "a"}), "append")
    assert "made elsewhere (table number 10001)" in said


def test_an_id_that_is_there_already_is_not_added_again(door: Door) -> None:
    """Neither within the file nor beside what is stored."""
    known = door.insert("items", title="here")
    said = refused(door, "a.jsonl", lines({"_id": known, "title": "a"}), "append")
    assert f"`_id` {known} is known here already" in said
    own = make_id(door.database.catalog.tables["items"].number, bytes(14), 0)
    twice = lines({"_id": own, "title": "a"}, {"_id": own, "title": "b"})
    assert f"line 2: `_id` {own} is there twice" in refused(door, "b.jsonl", twice, "append")


def test_a_reference_to_a_table_of_the_same_file_is_checked(door: Door) -> None:
    """Against the tables as they will be."""
    wrong = foreign(10_003)
    path = zip_of(door.folder / "a.zip", items__documents=lines({"title": "a", "owner": wrong}))
    with pytest.raises(ImportRefused, match=r"items/documents\.jsonl, line 1: .*owner"):
        door.load(path)


@pytest.mark.parametrize("name", ["_storage", "_scheduled_functions", "a b", "ä", "x" * 65])
def test_names_that_are_no_tables_are_refused(door: Door, name: str) -> None:
    """System tables are the runtime's own."""
    path = door.folder / "a.jsonl"
    path.write_text(lines({"title": "a"}))
    with pytest.raises(ImportRefused, match="table name"):
        door.load(path, table=name)


def test_one_table_of_a_snapshot(door: Door) -> None:
    """The others stay as they are; a table that is not there is named."""
    rows = {"people__documents": lines({"name": "A"}), "items__documents": lines({"title": "a"})}
    path = zip_of(door.folder / "a.zip", **rows)
    assert door.load(path, table="items").imported == {"items": 1}
    assert door.all("people") == []
    with pytest.raises(ImportRefused, match="there is no table other"):
        door.load(path, table="other")


def test_an_older_export_of_convex(door: Door) -> None:
    """Its texts are int64 or bytes where the table or the line's own note says so."""
    item = foreign(10_002)
    row = {"_id": item, "_creationTime": 1.0, "title": "5", "count": "5", "raw": "AAE=", "rank": 2}
    notes = ['"{...: int64 | bytes}"\n', lines({item: {"rank": "infer"}})]
    path = zip_of(
        door.folder / "a.zip",
        items__generated_schema="".join(notes),
        items__documents=lines({**row, "rank": 2}),
    )
    door.load(path)
    found = door.all("items")[0]
    assert (found["title"], found["count"], found["raw"]) == ("5", Int64(5), b"\x00\x01")
    bare = Door(door.folder, Manifest())
    with pytest.raises(ImportRefused, match="declare the table"):
        bare.load(path)


def test_a_disk_that_refuses_keeps_nothing(door: Door) -> None:
    """The old documents are still there."""
    door.insert("items", title="here")

    def fail() -> None:
        raise StorageFailure("the disk is gone")

    door.clock.faults["commit"] = fail
    with pytest.raises(StorageFailure):
        door.load_text("a.jsonl", lines({"title": "a"}), "replace")
    door.clock.faults.clear()
    assert door.titles("by_title") == ["here"]
    door.load_text("a.jsonl", lines({"title": "a"}), "replace")
    assert door.titles("by_title") == ["a"]


def test_a_table_that_changes_meanwhile_is_imported_anew(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys were made for indexes that are gone: the file is read again."""
    catalog_of = door.ask
    changes = [1]

    def ask(step: Any, *, writes: bool = False) -> Any:
        if writes and changes:
            changes.pop()
            catalog_of(lambda d: d.catalog.add_index("items", "other", ("title",)), writes=True)
        return catalog_of(step, writes=writes)

    monkeypatch.setattr(door, "ask", ask)
    door.load_text("a.jsonl", lines({"title": "a"}))
    number = door.database.catalog.tables["items"].indexes["other"].number
    prefix = b"i" + number.to_bytes(4, "big")
    assert door.database.storage.count(prefix, prefix + b"\xff", 9) == 1
