"""The kit's data, as a folder and as a bundle."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from headwater_workshop import kit


def test_a_checkout_is_the_root_of_its_own_kit() -> None:
    """The template and the lessons are read from the repository they lie in."""
    root = kit.kit_root()
    assert (root / "template").is_dir()
    assert kit.lessons_tree() == kit.read_folder(root / "lessons")


def test_a_bundle_gives_back_what_went_in(tmp_path: Path) -> None:
    """Every file, byte for byte."""
    tree = {"01-x/lesson.md": "# Ünï\n".encode(), "01-x/solution/backend/a.py": b"\x00\r\n"}
    kit.write_bundle(tree, tmp_path / "lessons.bundle")
    assert kit.read_bundle(tmp_path / "lessons.bundle") == tree


def test_a_bundle_shows_nothing_of_what_is_in_it(tmp_path: Path) -> None:
    """Who searches an install for text finds no line of a solution, no hint, no hidden check and
    no name of a wrong solution.
    """
    tree = kit.lessons_tree()
    kit.write_bundle(tree, tmp_path / "lessons.bundle")
    content = (tmp_path / "lessons.bundle").read_bytes()
    lines = {line.strip() for text in tree.values() for line in text.splitlines()}
    words = [line for line in lines if len(line) >= 12] + [name.encode() for name in tree]
    assert len(words) > 1000
    assert not [word for word in words if word in content]


def test_the_same_files_make_the_same_bundle(tmp_path: Path) -> None:
    """A wheel built twice is the same wheel."""
    for name in ("one", "two"):
        kit.write_bundle(kit.lessons_tree(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_broken_bundle_says_how_to_mend_the_install(tmp_path: Path) -> None:
    """A file that is gone, cut off, or other in one byte is named with the next step."""
    bundle = tmp_path / "lessons.bundle"
    with pytest.raises(kit.KitError, match="install it again"):
        kit.read_bundle(bundle)
    kit.write_bundle({"a": b"text"}, bundle)
    whole = bundle.read_bytes()
    middle = len(whole) // 2
    other = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for broken in (b"", whole[:middle], other):
        bundle.write_bytes(broken)
        with pytest.raises(kit.KitError, match=r"lessons\.bundle: its checksum is another"):
            kit.read_bundle(bundle)


def test_what_tools_leave_behind_is_no_data(tmp_path: Path) -> None:
    """Caches and compiled files never travel."""
    kit.write_tree(
        {"backend/a.py": b"", "backend/__pycache__/a.cpython-311.pyc": b"", "b.pyc": b""}, tmp_path
    )
    assert list(kit.read_folder(tmp_path)) == ["backend/a.py"]


def test_an_error_comes_whole_from_another_process() -> None:
    """What a worker process raises is told in its own words."""
    error = pickle.loads(pickle.dumps(kit.KitError("It is gone.", where="there", fix="make it")))
    assert (error.what, error.where, error.fix) == ("It is gone.", "there", "make it")
