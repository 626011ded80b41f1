"""The call that runs now, kept where it outlives the process."""

from __future__ import annotations

from pathlib import Path

from headwater.last_call import LastCall


def test_a_running_call_is_read_by_the_next_process(tmp_path: Path) -> None:
    """Nothing is, once it was forgotten."""
    first = LastCall(tmp_path / "last_call")
    assert first.read() == ("", None)
    first.note("tasks:add")
    assert LastCall(tmp_path / "last_call").read() == ("tasks:add", None)
    first.forget()
    assert LastCall(tmp_path / "last_call").read() == ("", None)


def test_a_shorter_path_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    """And one longer than the file is cut."""
    last = LastCall(tmp_path / "last_call")
    last.note("x" * 5000)
    assert last.read()[0] == "x" * 1022
    last.note("a:b")
    assert last.read() == ("a:b", None)


def test_a_scheduled_call_is_told_from_others_of_its_function(tmp_path: Path) -> None:
    """Its job is kept beside the path."""
    last = LastCall(tmp_path / "last_call")
    last.note("tasks:add", "job7")
    assert last.read() == ("tasks:add", "job7")


def test_a_file_of_another_size_is_made_anew(tmp_path: Path) -> None:
    """A crash in the middle of making it leaves no trap."""
    file = tmp_path / "last_call"
    file.write_bytes(b"x")
    assert LastCall(file).read() == ("", None)
    assert file.stat().st_size == 1024
