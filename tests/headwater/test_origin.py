"""The origin of URLs that a deployment hands out."""

from __future__ import annotations

import socket

import pytest

from headwater.origin import origin_of


@pytest.mark.parametrize(
    ("host", "names", "configured", "expected"),
    [
        ("127.0.0.1", [], None, "http://127.0.0.1:{port}"),
        ("127.0.0.1", ["app.test"], None, "http://127.0.0.1:{port}"),
        ("0.0.0.0", [], None, "http://127.0.0.1:{port}"),
        ("0.0.0.0", ["app.test", "b.test"], None, "http://app.test:{port}"),
        ("127.0.0.1", [], "https://app.example/", "https://app.example"),
        ("127.0.0.1", [], "https://app.example/api-of/", "https://app.example/api-of"),
        ("127.0.0.1", ["app.test"], "http://0.0.0.0:7", "http://app.test:7"),
    ],
)
def test_the_origin(
    host: str,
    names: list[str],
    configured: str | None,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is configured, else the bound address, else a name for a server bound to all."""
    monkeypatch.delenv("CONVEX_CLOUD_URL", raising=False)
    if configured is not None:
        monkeypatch.setenv("CONVEX_CLOUD_URL", configured)
    with socket.create_server((host, 0)) as listening:
        port = listening.getsockname()[1]
        assert origin_of(listening, names) == expected.format(port=port)


def test_an_address_of_the_newer_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in brackets."""
    monkeypatch.delenv("CONVEX_CLOUD_URL", raising=False)
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listening:
        assert origin_of(listening) == f"http://[::1]:{listening.getsockname()[1]}"
