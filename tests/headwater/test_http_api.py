"""The HTTP API: functions called one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.headwater.served import Served

ADD = {"path": "tasks:add", "args": {"title": "a"}}
TITLES: dict[str, Any] = {"path": "tasks:titles", "args": {}}


def test_a_mutation_and_a_query(served: Served) -> None:
    """With their log lines, where there are any."""
    added = served.post("/api/mutation", ADD)
    assert added == {"status": "success", "value": 1.0, "logLines": ["[LOG] 'added' 'a'"]}
    assert served.post("/api/query", TITLES) == {"status": "success", "value": ["a"]}


def test_a_query_by_get(served: Served) -> None:
    """Its arguments are JSON in the URL."""
    answer = served.request("GET", "/api/query", params={"path": "tasks:titles", "args": "{}"})
    assert answer.json()["value"] == []


def test_a_function_by_its_address(served: Served) -> None:
    """Module and name as a path, whatever kind it is."""
    assert served.post("/api/run/tasks/add", {"args": {"title": "a"}})["value"] == 1.0
    assert served.post("/api/run/tasks/titles", {"args": {}})["value"] == ["a"]


def test_formats_spell_values_differently(served: Served) -> None:
    """Convex's encoding, where it is asked for."""
    body = {**ADD, "format": "convex_encoded_json"}
    assert served.post("/api/mutation", body)["value"] == 1.0
    wrong = served.post("/api/mutation", {**ADD, "format": "xml"})
    assert wrong["code"] == "BadFormat"


def test_an_error_has_its_text(served: Served) -> None:
    """And a title with a request id."""
    answer = served.post("/api/mutation", {"path": "tasks:add", "args": {}})
    assert answer["status"] == "error"
    assert answer["errorMessage"].startswith("[Request ID: ")
    assert "missing the required field `title`" in answer["errorMessage"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "BadJsonBody"),
        ({"args": {}}, "BadJsonBody"),
        ({"path": "tasks:titles", "args": 7}, "BadJsonBody"),
        ({"path": "tasks:titles", "args": [{}, {}]}, "BadJsonBody"),
        ({"path": "tasks:titles", "args": {"$x": 1, "y": 2}}, "BadJsonBody"),
        ({**TITLES, "componentPath": "c"}, "BadComponentPath"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(served: Served, body: Any, code: str) -> None:
    """With a code for programs and a sentence for people."""
    answer = served.request("POST", "/api/query", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_broken_json_is_refused(served: Served) -> None:
    """In the body and in the URL."""
    posted = served.request("POST", "/api/query", content=b"{")
    got = served.request("GET", "/api/query", params={"path": "tasks:titles", "args": "{"})
    assert [posted.status_code, got.status_code] == [400, 400]
    assert "not JSON" in posted.json()["message"]


@pytest.mark.parametrize("spare", [0, -1])
def test_message_bytes_is_a_limit(tmp_path: Path, spare: int) -> None:
    """A body of exactly the limit is read, one byte more is not."""
    body = b'{"path":"tasks:titles","args":{}}'
    served = Served(tmp_path, message_bytes=len(body) + spare)
    answer = served.request("POST", "/api/query", content=body)
    served.close()
    assert answer.status_code == (200 if spare == 0 else 413)


def test_callers_are_told_apart(served: Served) -> None:
    """By their token; the admin key may act as somebody."""
    who = {"path": "tasks:who", "args": {}}
    assert "Not signed in" in served.post("/api/query", who)["errorMessage"]
    ana = f"Bearer {served.auth.token('ana')}"
    assert served.post("/api/query", who, ana)["value"] == "ana"
    refused = served.request("POST", "/api/query", json=who, headers={"Authorization": "Bearer x"})
    assert (refused.status_code, refused.json()["code"]) == (401, "InvalidAuthHeader")


def test_functions_of_any_kind_need_the_admin_key(served: Served) -> None:
    """What the command line uses."""
    assert served.post("/api/function", ADD)["code"] == "Forbidden"
    assert served.post("/api/function", ADD, served.admin)["value"] == 1.0


def test_the_version_is_a_text(served: Served) -> None:
    """Clients and people ask for it."""
    assert served.request("GET", "/version").text[0].isdigit()
    assert served.request("GET", "/instance_name").text == "headwater"
