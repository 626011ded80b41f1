"""The call that runs now, kept where it outlives the process."""

from __future__ import annotations

from pathlib import Path

from headwater.last_call import LastCall


def test_a_running_call_is_read_by_the_next_process(tmp_path: Path) -> None:
    """Nothing is, once it was forgotten."""
    first = LastCall(tmp_path / "last_call")
    assert first.read() == ""
    first.note("tasks:add")
    assert LastCall(tmp_path / "last_call").read() == "tasks:add"
    first.forget()
    assert LastCall(tmp_path / "last_call").read() == ""


def test_a_shorter_path_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    """And one longer than the file is cut."""
    last = LastCall(tmp_path / "last_call")
    last.note("x" * 5000)
    assert last.read() == "x" * 1023
    last.note("a:b")
    assert last.read() == "a:b"


def test_a_file_of_another_size_is_made_anew(tmp_path: Path) -> None:
    """A crash in the middle of making it leaves no trap."""
    file = tmp_path / "last_call"
    file.write_bytes(b"x")
    assert LastCall(file).read() == ""
    assert file.stat().st_size == 1024
