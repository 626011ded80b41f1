"""The gate: which hosts and origins are answered at all."""

from __future__ import annotations

import pytest

from headwater.gate import Gate

GATE = Gate.of("10.0.0.7", ["kit.example"], ["https://app.example/"])


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:3210", "[::1]:3210", "10.0.0.7:3210", "KIT.example"]
)
def test_known_names_pass(host: str) -> None:
    """Loopback, the bound address, the allowed ones; with and without a port."""
    assert GATE.refuses({"host": host}) is None


@pytest.mark.parametrize("host", ["", "evil.example", "localhost.evil.example", "kit.example.evil"])
def test_other_names_do_not(host: str) -> None:
    """A page that points its own name at this machine is not let in; the flag is named."""
    refusal = GATE.refuses({"host": host})
    assert refusal is not None
    assert "--allow-host" in refusal


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        ("http://localhost:5173", True),
        ("http://127.0.0.1", True),
        ("https://app.example", True),
        ("https://app.example.evil", False),
        ("http://app.example", False),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_origins_are_loopback_or_allowed(origin: str, passes: bool) -> None:
    """Scheme and name both count."""
    refusal = GATE.refuses({"host": "localhost", "origin": origin})
    assert (refusal is None) == passes
    assert passes or "--allow-origin" in str(refusal)


def test_any_origin_is_said_explicitly() -> None:
    """By a star."""
    assert Gate.of("localhost", [], ["*"]).allows_origin("https://anything.example")
    assert not Gate.of("localhost").allows_origin("https://anything.example")
