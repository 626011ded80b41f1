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
