"""Hosts and origins that resemble ours, however they are written."""

import pytest

from headwater.gate import Gate

GATE = Gate.of("127.0.0.1", ["MyMachine.local"], ["https://App.example.org/"])


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:3210",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:80",
        "mymachine.local",
        "MyMachine.Local:80",
    ],
)
def test_names_of_this_server_are_answered(host: str) -> None:
    """Loopback and the allowed names, however they are written, with any port."""
    assert GATE.refuses({"host": host}) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "2130706433",
        "evil@127.0.0.1",
        "127.0.0.1@evil",
        "127.0.0.1#@evil",
        "localhost/",
        "localhost?x",
        "a b",
        "[::1",
        "::1]",
        "[::1]x",
        "[v1.x]",
        "[::ffff:127.0.0.1]",
        "localhost:abc",
        "localhost:",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    """Also those that only resemble one of ours, and those that are no name at all."""
    assert "Host" in (GATE.refuses({"host": host}) or "")


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "https://localhost:5173",
        "http://127.0.0.1",
        "http://[::1]:3",
        "https://app.example.org",
        "HTTPS://APP.example.org",
    ],
)
def test_pages_of_this_machine_and_allowed_ones_may_call(origin: str) -> None:
    """On any port, for that is where development servers are."""
    assert GATE.refuses({"host": "localhost", "origin": origin}) is None


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "file://",
        "localhost",
        "//localhost",
        "javascript://localhost",
        "http://[::1",
        "https://evil.example",
        "http://app.example.org",
        "https://app.example.org:444",
        "http://localhost@evil.example",
        "http://evil.example@localhost",
        "http://localhost.",
        "http://localhost, http://evil.example",
        "http://127.0.0.1.evil.example",
    ],
)
def test_other_pages_may_not(origin: str) -> None:
    """Nor what is no web origin."""
    assert "Origin" in (GATE.refuses({"host": "localhost", "origin": origin}) or "")


def test_any_origin_is_allowed_by_a_star_alone() -> None:
    """It has to be said."""
    open_gate = Gate.of("127.0.0.1", origins=["*"])
    assert open_gate.refuses({"host": "localhost", "origin": "https://anywhere.example"}) is None
    assert "Host" in (open_gate.refuses({"host": "evil.example"}) or "")
