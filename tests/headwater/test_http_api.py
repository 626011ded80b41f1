"""The HTTP API: functions called one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headwater.core.protocol import encode_ts
from tests.headwater.projects import write_project
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


# consistent reads


def test_queries_at_a_timestamp_see_what_was_there(served: Served) -> None:
    """Though something was written since; a query without it sees that."""
    served.post("/api/mutation", ADD)
    ts = served.post("/api/query_ts", None)["ts"]
    served.post("/api/mutation", {"path": "tasks:add", "args": {"title": "b"}})
    assert served.post("/api/query_at_ts", {**TITLES, "ts": ts})["value"] == ["a"]
    assert served.post("/api/query", TITLES)["value"] == ["a", "b"]


@pytest.mark.parametrize(
    ("ts", "told"),
    [
        (None, "the body needs `ts`"),
        ("AAAA", "the body needs `ts`"),
        (7, "the body needs `ts`"),
        ("/////////38=", "`ts` is newer than the database"),
    ],
)
def test_a_timestamp_that_is_none_is_refused(served: Served, ts: Any, told: str) -> None:
    """With what to give instead."""
    answer = served.request("POST", "/api/query_at_ts", json={**TITLES, "ts": ts})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadTimestamp")
    assert told in answer.json()["message"]


def test_a_timestamp_that_is_gone_is_503(served: Served) -> None:
    """So that whoever tries again begins anew."""
    ts = encode_ts(served.hub.engine.last_ts)
    served.post("/api/mutation", ADD)
    answer = served.request("POST", "/api/query_at_ts", json={**TITLES, "ts": ts})
    assert (answer.status_code, answer.json()["code"]) == (503, "OutOfRetention")


def test_a_batch_answers_each_query(served: Served) -> None:
    """In order; one that fails fails alone."""
    served.post("/api/mutation", ADD)
    who = {"path": "tasks:who", "args": {}}
    results = served.post("/api/query_batch", {"queries": [TITLES, who, TITLES]})["results"]
    assert [result["status"] for result in results] == ["success", "error", "success"]
    assert results[0]["value"] == results[2]["value"] == ["a"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "BadJsonBody"),
        ({"queries": {}}, "BadJsonBody"),
        ({"queries": [7]}, "BadJsonBody"),
        ({"queries": [{"args": {}}]}, "BadJsonBody"),
        ({"queries": [{**TITLES, "format": "xml"}]}, "BadFormat"),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(served: Served, body: Any, code: str) -> None:
    """As a whole, before any of it runs."""
    answer = served.request("POST", "/api/query_batch", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(("count", "status"), [(3, 200), (4, 400)])
def test_queries_at_once_is_a_limit(tmp_path: Path, count: int, status: int) -> None:
    """Three where three may be."""
    served = Served(tmp_path, queries_at_once=3)
    answer = served.request("POST", "/api/query_batch", json={"queries": [TITLES] * count})
    served.close()
    assert answer.status_code == status


# refusals


def test_what_is_not_there_is_404(served: Served) -> None:
    """In the form of all refusals."""
    answer = served.request("POST", "/api/nothing", json={})
    told = {"code": "NotFound", "message": "there is nothing at /api/nothing"}
    assert (answer.status_code, answer.json()) == (404, told)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/mutation"),
        ("GET", "/api/action"),
        ("PUT", "/api/query"),
        ("GET", "/api/run/a/b"),
    ],
)
def test_another_method_is_405(served: Served, method: str, path: str) -> None:
    """With the ones there are."""
    answer = served.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "MethodNotAllowed")
    assert f"{path} does not take {method}, but " in answer.json()["message"]
    assert "POST" in answer.headers["allow"]


# formats

VALUES = """
from typing import Any
from headwater import AppError, Int64, QueryCtx, query

ALL = {"big": Int64(2**60), "raw": b"ab", "odd": float("nan"), "far": float("-inf"), "n": 1.5}


@query
async def values(ctx: QueryCtx, fail: bool) -> Any:
    print("here")
    if fail:
        raise AppError(ALL)
    return ALL
"""
CLEAN = {"big": str(2**60), "raw": "YWI=", "odd": "NaN", "far": "-Infinity", "n": 1.5}
ENCODED = {
    "big": {"$integer": "AAAAAAAAABA="},
    "raw": {"$bytes": "YWI="},
    "odd": {"$float": "AAAAAAAA+H8="},
    "far": {"$float": "AAAAAAAA8P8="},
    "n": 1.5,
}


@pytest.mark.parametrize(
    ("form", "told"),
    [({}, CLEAN), ({"format": "json"}, CLEAN), ({"format": "convex_encoded_json"}, ENCODED)],
)
def test_values_and_error_data_in_both_formats(
    tmp_path: Path, form: dict[str, str], told: Any
) -> None:
    """With log lines beside them; clean JSON where no format is named."""
    write_project(tmp_path, values=VALUES)
    served = Served(tmp_path)
    body = {"path": "values:values", **form}
    answer = served.post("/api/query", {**body, "args": {"fail": False}})
    failed = served.post("/api/run/values/values", {**body, "args": {"fail": True}})
    served.close()
    assert (answer["value"], answer["logLines"]) == (told, ["[LOG] 'here'"])
    assert (failed["errorData"], failed["logLines"]) == (told, ["[LOG] 'here'"])
