"""What is remembered of a session."""

from __future__ import annotations

from pathlib import Path

from headwater_workshop.hooks.records import FILE, SESSIONS_KEPT, Record, load, mark, save


def test_the_newest_sessions_are_kept(tmp_path: Path) -> None:
    """The file does not grow with the years."""
    for number in range(SESSIONS_KEPT + 5):
        save(tmp_path, str(number), Record(blocks=number))
    found = load(tmp_path)
    assert list(found) == [str(number) for number in range(5, SESSIONS_KEPT + 5)]
    assert found["7"].blocks == 7


def test_a_file_that_is_none_is_begun_anew(tmp_path: Path) -> None:
    """A hook that fails over its own notes would be of no use."""
    (tmp_path / ".headwater").mkdir()
    for text in ("{", "[]", '{"a": {"unknown": 1}}'):
        (tmp_path / FILE).write_text(text)
        assert load(tmp_path) == {}


def test_a_change_of_code_is_another_mark(tmp_path: Path) -> None:
    """A new file, a removed one; a page is no code."""
    (tmp_path / "backend").mkdir()
    before = mark(tmp_path)
    (tmp_path / "backend" / "x.py").touch()
    between = mark(tmp_path)
    (tmp_path / "README.md").touch()
    assert mark(tmp_path) == between != before
