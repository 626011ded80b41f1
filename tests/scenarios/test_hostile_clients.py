"""What clients say is theirs alone: it is no markup, no control code, no work for the engine."""

import pytest

from tests.scenarios.raw_client import RawClient
from tests.scenarios.server_process import ServerProcess, wait_for

MEGABYTES = 4_000_000
PAGE = "http://localhost:5173"


@pytest.mark.parametrize("path", ["[/x]", r"\[/x]", "[bold", "\x1b]0;owned\x07"])
def test_a_path_is_shown_as_text(path: str, server: ServerProcess, raw: RawClient) -> None:
    """The terminal of `headwater dev` gets neither markup nor control codes from a client."""
    before = server.serving_pid()
    assert raw.add(0, path)["type"] == "QueryFailed"
    shown = ascii(path)[1:-1] if "\x1b" in path else path
    wait_for(lambda: f"query {shown}:default" in server.said(), "the failure is told")
    assert "\x1b]" not in server.said()
    assert server.serving_pid() == before


def test_a_path_of_megabytes_is_refused_briefly(server: ServerProcess, raw: RawClient) -> None:
    """What resembles no function is not compared with all of them, nor repeated in full."""
    before = server.serving_pid()
    failed = raw.add(0, "counters:" + "ab" * MEGABYTES)
    assert failed["type"] == "QueryFailed"
    assert "Could not find public function for 'counters:ab" in failed["errorMessage"]
    assert len(failed["errorMessage"]) < 1000
    assert server.serving_pid() == before


def test_admin_routes_are_not_for_pages_elsewhere(server: ServerProcess) -> None:
    """A browser asks first, and is told so, also for an origin that may call the rest."""
    assert server.fetch("/api/query", "OPTIONS", Origin=PAGE)[0] == 200
    assert server.fetch("/api/function", "OPTIONS", Origin=PAGE)[0] == 405
