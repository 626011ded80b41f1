"""Zips made to harm are refused before anything of them is read."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

import pytest

from headwater.data.archive import Archive
from headwater.errors import ImportRefused
from headwater.settings import Limits
from tests.headwater.data.doors import Door, lines, zip_of


def refused(path: Path) -> str:
    """Why a zip is not opened."""
    with pytest.raises(ImportRefused) as error:
        Archive.open(path, Limits())
    return str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "../items/documents.jsonl",
        "/items/documents.jsonl",
        "items/../../documents.jsonl",
        "c:/items/documents.jsonl",
        "..\\items\\documents.jsonl",
    ],
)
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    """Though no name in a zip is ever used as a path here."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "{}\n")
    assert "leads outside" in refused(tmp_path / "a.zip")


def test_links_are_refused(tmp_path: Path) -> None:
    """A link in a zip names a place of this machine."""
    info = zipfile.ZipInfo("items/documents.jsonl")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/hostname")
    assert "links are not read" in refused(tmp_path / "a.zip")


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    """By what its directory says; what a member then really has is bounded by that."""
    path = zip_of(tmp_path / "a.zip", items__documents=b"\n" * 2**26 + b"\n")
    assert path.stat().st_size < 100_000
    assert "that is no export" in refused(path)


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    """Its bytes are counted while they are read."""
    path = zip_of(tmp_path / "a.zip", items__documents=b"\n" * 2**22)
    raw = path.read_bytes()
    size = struct.pack("<L", 2**22)
    assert raw.count(size) == 2
    path.write_bytes(raw.replace(size, struct.pack("<L", 100)))
    with pytest.raises(ImportRefused, match="the zip is damaged"):
        Door(tmp_path).load(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path: Path, method: int) -> None:
    """How much memory one takes to unpack is said in the zip itself."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("items/documents.jsonl", lines({"title": "a"}))
    assert "only stored and deflated members" in refused(tmp_path / "a.zip")


def test_any_byte_may_be_wrong(tmp_path: Path) -> None:
    """It is said in a sentence, or does not matter; never a trace."""
    path = zip_of(
        tmp_path / "a.zip",
        _tables__documents=lines({"name": "items", "id": 20_001}),
        items__generated_schema='"uniform"\n',
        items__documents=lines({"title": "a"}, {"title": "b"}),
    )
    whole, door, ended = path.read_bytes(), Door(tmp_path), []
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            ended.append(bool(door.load(path, "replace")))
        except ImportRefused:
            ended.append(False)
    assert {True, False} == set(ended)


def test_a_directory_that_fills_the_memory_is_refused(tmp_path: Path) -> None:
    """Before it is read: a zip of nothing but empty names is small for what it takes in memory."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(100):
            archive.writestr(f"_storage/{number}", "")
    with pytest.raises(ImportRefused, match="its directory has"):
        Archive.open(path, Limits(import_directory_bytes=1_000))
    Archive.open(path, Limits(import_directory_bytes=10_000)).close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("_tables__documents", "[]"),
        ("_tables__documents", "{"),
        ("items__generated_schema", "x\n1"),
    ],
)
def test_what_a_zip_says_of_its_tables_may_be_wrong(tmp_path: Path, name: str, text: str) -> None:
    """With the place."""
    rows = {"items__documents": lines({"title": "a"}), name: text}
    with pytest.raises(ImportRefused, match=f"{name.replace('__', '/')}.jsonl: not"):
        Door(tmp_path).load(zip_of(tmp_path / "a.zip", **rows))


def test_a_table_twice_is_refused(tmp_path: Path) -> None:
    """Which of them would count?"""
    rows = lines({"title": "a"})
    path = zip_of(tmp_path / "a.zip", items__documents=rows, snapshot__items__documents=rows)
    assert "a second place for items" in refused(path)


def test_a_snapshot_in_a_folder_is_read(tmp_path: Path) -> None:
    """As when somebody unpacked one, and packed the folder."""
    path = zip_of(tmp_path / "a.zip", snapshot__items__documents=lines({"title": "a"}))
    door = Door(tmp_path)
    door.load(path)
    assert door.titles("by_title") == ["a"]


def test_components_are_refused(tmp_path: Path) -> None:
    """There are none here; their tables would be taken for the app's."""
    path = zip_of(tmp_path / "a.zip", _components__x__items__documents="")
    assert "components are not supported" in refused(path)


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    """Also one that is cut off, and one with a wrong byte in it."""
    path = zip_of(tmp_path / "a.zip", items__documents=lines(*[{"title": "a"}] * 50))
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    assert "it is no zip file" in refused(path)
    spoilt = bytearray(whole)
    spoilt[55] ^= 0xFF
    path.write_bytes(spoilt)
    with pytest.raises(ImportRefused, match="the zip is damaged"):
        Door(tmp_path).load(path)


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    """Memory is bounded by the longest line that may be a document."""
    path = zip_of(tmp_path / "a.zip", items__documents=b'{"title": "' + b"x" * 5 * 2**20)
    with pytest.raises(ImportRefused, match="line 1: longer than"):
        Door(tmp_path).load(path)
