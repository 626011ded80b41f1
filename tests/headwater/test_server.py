"""The server's front: the gate before everything, CORS for whom it lets in, and the pages."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from headwater.settings import STATE
from tests.headwater.served import Served


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
@pytest.mark.parametrize("path", ["/version", "/api/query", "/headwater.js", "/"])
def test_a_foreign_page_gets_nothing(served: Served, path: str, headers: dict[str, str]) -> None:
    """Whatever it asks for."""
    answer = served.request("GET", path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "Forbidden")
    assert "access-control-allow-origin" not in answer.headers


def test_an_allowed_origin_gets_its_headers(served: Served) -> None:
    """Also before the request itself; a caller without origin gets none."""
    origin = {"Origin": "https://app.example"}
    asked = served.request(
        "OPTIONS", "/api/query", headers={**origin, "Access-Control-Request-Headers": "x-one"}
    )
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-headers"] == "x-one"
    answer = served.request("GET", "/version", headers=origin)
    assert answer.headers["access-control-allow-origin"] == origin["Origin"]
    plain = served.request("GET", "/version")
    assert "access-control-allow-origin" not in plain.headers


def test_state_is_kept_in_the_project(served: Served, tmp_path: Path) -> None:
    """The database, the secrets, and what ran last."""
    names = {file.name for file in (tmp_path / STATE).iterdir()}
    assert {"data.sqlite3", "admin_key", "dev_issuer_key", "last_call"} <= names


def test_our_client_is_served(served: Served) -> None:
    """One file, never stale."""
    answer = served.request("GET", "/headwater.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    assert "class" in answer.text


def test_a_project_without_pages_says_that_it_runs(served: Served) -> None:
    """In one line."""
    assert served.request("GET", "/").text == "This Headwater deployment is running."


def test_the_project_s_pages_are_served(tmp_path: Path) -> None:
    """At the root, files beside it; the API comes first."""
    (tmp_path / "frontend").mkdir()
    (tmp_path / "frontend" / "index.html").write_text("<p>mine</p>")
    (tmp_path / "frontend" / "version").write_text("not this")
    served = Served(tmp_path)
    page, version = served.request("GET", "/"), served.request("GET", "/version")
    served.close()
    assert page.text == "<p>mine</p>"
    assert version.text != "not this"


def test_a_page_gets_a_development_token(served: Served) -> None:
    """For the person it names."""
    token = served.post("/dev/token", {"subject": "ana"})["token"]
    identity = asyncio.run(served.auth.user(token)).identity
    assert identity is not None
    assert identity["subject"] == "ana"


@pytest.mark.parametrize("body", [{}, {"subject": ""}, {"subject": 7}, [], {"subject": "x" * 101}])
def test_a_token_is_for_somebody(served: Served, body: object) -> None:
    """A name of at most 100 characters."""
    assert served.post("/dev/token", body)["code"] == "BadJsonBody"


def test_in_production_nobody_is_given_a_token(tmp_path: Path) -> None:
    """The route is not there."""
    served = Served(tmp_path, dev=False)
    answer = served.request("POST", "/dev/token", json={"subject": "eve"})
    served.close()
    assert answer.status_code in (404, 405)
