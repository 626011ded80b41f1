"""Records as people read them."""

from __future__ import annotations

from typing import Any

from headwater.terminal import told, visible

CALL: dict[str, Any] = {
    "time": "2026-01-02T03:04:05.678Z",
    "level": "info",
    "request_id": "0123456789abcdef",
    "function": "tasks:add",
    "kind": "mutation",
    "duration_ms": 1.26,
    "documents_read": 1,
    "bytes_read": 90,
    "documents_written": 2,
    "bytes_written": 180,
    "outcome": "success",
}


def texts(entry: dict[str, Any], **how: bool) -> list[str]:
    """The lines without their colours."""
    return [line.plain for line in told(entry, **how)]


def test_a_call_shows_what_it_read_and_wrote() -> None:
    """When every call is wanted; else only one with something to say."""
    amounts = "read 1 document (90 bytes), wrote 2 documents (180 bytes)"
    assert texts(CALL) == [f"    1.3 ms mutation tasks:add {amounts}"]
    assert texts(CALL, every=False) == []


def test_lines_and_errors_are_shown_with_their_call() -> None:
    """And the request id that the client was told."""
    failed = {**CALL, "log_lines": ["[LOG] 'a'"], "error": "Uncaught Error: no"}
    assert texts(failed, every=False, time=True) == [
        "03:04:05     1.3 ms mutation tasks:add [LOG] 'a'",
        "03:04:05     1.3 ms mutation tasks:add Uncaught Error: no\n    request 0123456789abcdef",
    ]


def test_a_message_of_the_server_shows_its_level() -> None:
    """It is no call."""
    told_by_server = {"time": CALL["time"], "level": "warning", "message": "careful"}
    assert texts(told_by_server) == ["warning careful"]


def test_control_codes_are_written_out() -> None:
    """A client must not move our cursor or colour our terminal."""
    assert visible("a\x1b]0;x\x07\nb\t") == "a\\x1b]0;x\\x07\nb\t"
    assert "\x1b" not in texts({**CALL, "function": "\x1b[2J"})[0]
