"""The HTTP API: every route and both formats, as official clients and curl use them."""

import json
import urllib.request
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.scenarios.server_process import ServerProcess

LOCAL_PAGE = "http://localhost:5173"


def answer(reply: tuple[int, str]) -> Any:
    """The JSON of a 200."""
    assert reply[0] == 200, reply
    return json.loads(reply[1])


def test_version_answers(server: ServerProcess) -> None:
    """GET /version is text, for whoever wants to know whether the server is up."""
    status, text = server.fetch("/version")
    assert (status, bool(text)) == (200, True)


@pytest.mark.parametrize("encoding", ["json", "convex_encoded_json", None])
def test_query_mutation_and_action(encoding: str | None, server: ServerProcess, name: str) -> None:
    """Each kind of function has its route; format may be left out."""
    form = {} if encoding is None else {"format": encoding}
    for kind, path, expected in [
        ("mutation", "counters:increment", 1),
        ("action", "people:countTwice", 3),
        ("query", "counters:read", 3),
    ]:
        body = {"path": path, "args": {"name": name}} | form
        assert answer(server.post(f"/api/{kind}", body)) == {
            "status": "success",
            "value": expected,
        }


def test_arguments_in_a_list(server: ServerProcess) -> None:
    """The npm client sends its arguments object in a list."""
    body = {"path": "counters:read", "args": [{"name": "nobody"}]}
    assert answer(server.post("/api/query", body))["value"] == 0


def test_query_by_get(server: ServerProcess) -> None:
    """A query can be asked by GET."""
    asked = urlencode({"path": "counters:read", "args": '{"name": "n"}', "format": "json"})
    assert answer(server.fetch(f"/api/query?{asked}"))["value"] == 0


def test_run_names_the_function_in_the_path(server: ServerProcess, name: str) -> None:
    """POST /api/run/module/function takes any kind of function."""
    body = {"args": {"name": name}}
    assert answer(server.post("/api/run/counters/increment", body))["value"] == 1
    assert answer(server.post("/api/run/counters/read", body))["value"] == 1


@pytest.mark.parametrize("route", ["query", "mutation", "action"])
def test_route_of_another_kind_is_refused(route: str, server: ServerProcess) -> None:
    """A function called as what it is not says what it is."""
    path = "counters:read" if route != "query" else "counters:increment"
    reply = answer(server.post(f"/api/{route}", {"path": path, "args": {"name": "n"}}))
    assert reply["status"] == "error"
    assert route in reply["errorMessage"].lower()


def test_error_has_data_only_for_app_errors(server: ServerProcess) -> None:
    """errorData is there for an AppError and absent otherwise."""
    refused = server.post("/api/mutation", {"path": "failures:refused", "args": {"data": None}})
    assert answer(refused)["errorData"] is None
    broken = answer(server.post("/api/mutation", {"path": "failures:broken", "args": {}}))
    assert "errorData" not in broken
    assert "Uncaught ValueError: the cable is out" in broken["errorMessage"]
    assert "failures.py" in broken["errorMessage"]


def test_log_lines_are_sent_when_there_are_any(server: ServerProcess) -> None:
    """logLines come with the answer; without any the field is absent."""
    spoken = answer(server.post("/api/mutation", {"path": "logs:speak", "args": {"word": "w"}}))
    assert spoken["logLines"][0] == "[LOG] 'said' 'w'"
    silent = answer(server.post("/api/query", {"path": "counters:read", "args": {"name": "n"}}))
    assert "logLines" not in silent


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'{"args": {}}', b'{"path": 5, "args": {}}', b'{"path": "a:b", "args": 7}'],
    ids=bytes.decode,
)
def test_malformed_body_is_400(body: bytes, server: ServerProcess) -> None:
    """A body that is no call is refused with code and message."""
    status, text = server.post("/api/query", body)
    assert status == 400, text
    assert json.loads(text).keys() >= {"code", "message"}


def test_bearer_token_identifies(server: ServerProcess) -> None:
    """A JWT in the Authorization header is who calls."""
    header = {"Authorization": f"Bearer {server.token('ana')}"}
    reply = server.post("/api/query", {"path": "people:whoami", "args": {}}, **header)
    assert answer(reply)["value"] == "ana"


@pytest.mark.parametrize("header", ["Bearer not.a.token", "Convex wrong-key", "nope"])
def test_bad_authorization_is_refused(header: str, server: ServerProcess) -> None:
    """A token or key that does not hold is refused, not taken for a stranger."""
    body = {"path": "people:whoami", "args": {}}
    status, text = server.post("/api/query", body, Authorization=header)
    assert status in (400, 401, 403), text
    assert json.loads(text).keys() >= {"code", "message"}


def test_admin_key_reaches_internal_functions(server: ServerProcess) -> None:
    """With the deployment's key /api/function runs internal functions; without it, nothing."""
    key = (server.project / ".headwater" / "admin_key").read_text().strip()
    body = {"path": "people:secret", "args": {}}
    reply = server.post("/api/function", body, Authorization=f"Convex {key}")
    assert answer(reply)["value"] == "hidden"
    assert server.post("/api/function", body)[0] in (400, 401, 403)


@pytest.mark.parametrize("route", ["query", "mutation", "query_ts", "query_at_ts", "query_batch"])
def test_preflight_of_a_local_page(route: str, server: ServerProcess) -> None:
    """A local page's preflight is granted: CORS names its origin."""
    request = urllib.request.Request(f"{server.url}/api/{route}", method="OPTIONS")
    request.add_header("Origin", LOCAL_PAGE)
    request.add_header("Access-Control-Request-Method", "POST")
    request.add_header("Access-Control-Request-Headers", "content-type,convex-client")
    with urllib.request.urlopen(request, timeout=5) as reply:
        assert reply.headers["Access-Control-Allow-Origin"] == LOCAL_PAGE
        assert "convex-client" in reply.headers["Access-Control-Allow-Headers"].lower()


def test_unknown_route_is_404(server: ServerProcess) -> None:
    """What is not there is a 404, in the API and beside it."""
    assert server.fetch("/api/nothing")[0] == 404
