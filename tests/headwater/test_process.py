"""The server process: its options come as one argument, and what it says when it starts."""

from __future__ import annotations

from pathlib import Path

from headwater.errors import BackendLoadError
from headwater.options import ServerOptions
from headwater.process import decode_options, encode_options, not_loaded


def test_options_go_to_another_process_and_back(tmp_path: Path) -> None:
    """Whatever is in them."""
    options = ServerOptions(tmp_path, "::1", 0, True, ["a b"], ["https://é.example"])
    assert decode_options(encode_options(options)) == options


def test_a_first_load_that_fails_leaves_nothing_live() -> None:
    """Only a reload has a version of before to serve."""
    error = BackendLoadError("backend/notes.py:8: no")
    assert not_loaded(error, live=False) == "; no function can be called yet\n" + error.message
    assert not_loaded(error, live=True).startswith("; the last working version stays live")
