"""Exports: Convex's format, and one moment."""

from __future__ import annotations

import json
import threading
import zipfile
from pathlib import Path

import pytest

from headwater.core.storage import Writes
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.values import Int64
from tests.headwater.data.doors import Door


@pytest.fixture
def door(tmp_path: Path) -> Door:
    """A deployment with a document of each kind of value."""
    made = Door(tmp_path)
    values = {"count": Int64(5), "raw": b"\x00\x01", "rank": -0.0, "note": None}
    made.insert("items", title="a", **values)
    made.insert("items", title="b", rank=float("inf"))
    return made


def test_the_format_is_convex_s(door: Door) -> None:
    """Tables with their numbers, lines that say their types: an int64 has no point, a float has."""
    with zipfile.ZipFile(door.export()) as archive:
        assert archive.namelist() == [
            *("README.md", "_tables/documents.jsonl"),
            *("items/generated_schema.jsonl", "items/documents.jsonl"),
            *("people/generated_schema.jsonl", "people/documents.jsonl"),
        ]
        assert archive.testzip() is None
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    tables = door.database.catalog.tables
    numbers = {"people": tables["people"].number, "items": tables["items"].number}
    found = [json.loads(line) for line in texts["_tables/documents.jsonl"].splitlines()]
    assert {one["name"]: one["id"] for one in found} == numbers
    assert texts["items/generated_schema.jsonl"] == '"uniform"\n'
    first, second = texts["items/documents.jsonl"].splitlines()
    assert '"count":5,"note":null,"rank":-0.0,"raw":{"$bytes":"AAE="},"title":"a"}' in first
    assert '"rank":{"$float":"AAAAAAAA8H8="}' in second
    assert texts["people/documents.jsonl"] == ""


def test_nothing_is_left_of_the_copy(door: Door) -> None:
    """It is gone with the export, also with one that was given up."""
    before = set(door.folder.iterdir())
    path = door.export()
    assert set(door.folder.iterdir()) - before == {path}


def test_a_snapshot_is_of_one_moment(tmp_path: Path) -> None:
    """A writer that goes on meanwhile is never seen half way, nor is it kept waiting for long.

    Every transaction writes the same number into two documents that lie far apart.
    """
    storage = SqliteStorage(tmp_path / "data.sqlite3")
    storage.begin()
    storage.write(Writes({f"{n:05}": b"x" * 400 for n in range(20_000)}))
    storage.commit()
    stop = threading.Event()
    written = [0]

    def write() -> None:
        while not stop.is_set():
            written[0] += 1
            text = str(written[0]).encode()
            storage.begin()
            storage.write(Writes({"00000": text}))
            storage.write(Writes({"19999": text}))
            storage.commit()

    writer = threading.Thread(target=write)
    writer.start()
    told: list[int] = []
    try:
        copy = storage.snapshot(tmp_path / "copy", lambda done, _total: told.append(done))
    finally:
        stop.set()
        writer.join()
    assert copy.document("00000") == copy.document("19999") != b"x" * 400
    assert 0 < int(copy.document("00000") or b"0") <= written[0]
    assert len(told) > 5
    copy.close()
    storage.close()
