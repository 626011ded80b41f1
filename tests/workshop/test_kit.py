"""The kit's data, as a folder and as a bundle."""

from __future__ import annotations

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


def test_a_bundle_shows_no_line_of_a_solution(tmp_path: Path) -> None:
    """Who searches an install for text finds nothing."""
    kit.write_bundle(kit.lessons_tree(), tmp_path / "lessons.bundle")
    content = (tmp_path / "lessons.bundle").read_bytes()
    assert b"with_index" not in content
    assert b"by_project_completed" not in content


def test_the_same_files_make_the_same_bundle(tmp_path: Path) -> None:
    """A wheel built twice is the same wheel."""
    for name in ("one", "two"):
        kit.write_bundle(kit.lessons_tree(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_broken_bundle_says_how_to_mend_the_install(tmp_path: Path) -> None:
    """A file that is cut off, or gone, is named with the next step."""
    bundle = tmp_path / "lessons.bundle"
    with pytest.raises(kit.KitError, match="install it again"):
        kit.read_bundle(bundle)
    bundle.write_bytes(b"PK half a file")
    with pytest.raises(kit.KitError, match=r"lessons\.bundle"):
        kit.read_bundle(bundle)


def test_what_tools_leave_behind_is_no_data(tmp_path: Path) -> None:
    """Caches and compiled files never travel."""
    kit.write_tree(
        {"backend/a.py": b"", "backend/__pycache__/a.cpython-311.pyc": b"", "b.pyc": b""}, tmp_path
    )
    assert list(kit.read_folder(tmp_path)) == ["backend/a.py"]
