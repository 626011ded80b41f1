"""The server process: its options come as one argument, and what it says when it starts."""

from __future__ import annotations

from pathlib import Path

from headwater.options import ServerOptions
from headwater.process import decode_options, encode_options


def test_options_go_to_another_process_and_back(tmp_path: Path) -> None:
    """Whatever is in them."""
    options = ServerOptions(tmp_path, "::1", 0, True, ["a b"], ["https://é.example"])
    assert decode_options(encode_options(options)) == options
