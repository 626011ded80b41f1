"""What `headwater serve` tells of failures: clients a request id, its own log everything."""

import json
import re
from typing import Any

import pytest

from tests.scenarios.conftest import OpenRaw, StartServer
from tests.scenarios.server_process import ServerProcess, wait_for

TITLE = re.compile(r"\[Request ID: ([0-9a-f]{16})\] Server Error")
BROKEN = {"path": "failures:broken", "args": {}}


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server as it is in production."""
    process = ServerProcess(tmp_path_factory.mktemp("production"))
    try:
        yield process.start("serve")
    finally:
        process.end()


def answer(server: ServerProcess, path: str, args: Any, **headers: str) -> Any:
    """What HTTP tells of a mutation."""
    return json.loads(server.post("/api/mutation", {"path": path, "args": args}, **headers)[1])


def test_http_clients_are_told_a_request_id(production: ServerProcess) -> None:
    """No message, no trace, no data; the server's log has them under that id."""
    told = answer(production, "failures:broken", {})
    title = TITLE.fullmatch(told["errorMessage"])
    assert title is not None, told
    assert told.keys() == {"status", "errorMessage"}
    wait_for(lambda: title[1] in production.said(), "the log names the request")
    assert "the cable is out" in production.said()


def test_an_app_error_s_data_is_told_always(production: ServerProcess) -> None:
    """It is meant for clients."""
    told = answer(production, "failures:refused", {"data": {"code": 7}})
    assert TITLE.fullmatch(told["errorMessage"])
    assert told["errorData"] == {"code": 7}


def test_log_lines_stay_at_home(production: ServerProcess) -> None:
    """Of a success too."""
    told = answer(production, "logs:speak", {"word": "w"})
    assert (told["status"], "logLines" in told) == ("success", False)


def test_sockets_are_told_no_more(production: ServerProcess, open_raw: OpenRaw) -> None:
    """Mutations, actions and followed queries alike."""
    raw = open_raw(production)
    mutated = raw.mutate(0, "failures:broken")
    acted = raw.act(1, "failures:unspeakableAction")
    followed = raw.add(0, "failures:brokenQuery")
    assert TITLE.fullmatch(mutated["result"])
    assert TITLE.fullmatch(acted["result"])
    assert TITLE.fullmatch(followed["errorMessage"])
    assert raw.mutate(2, "logs:speak", word="w")["logLines"] == []


def test_a_socket_s_app_error_keeps_its_data(production: ServerProcess, open_raw: OpenRaw) -> None:
    """As ConvexError data, beside the title alone."""
    told = open_raw(production).mutate(0, "failures:refused", data="slow down")
    assert (told["errorData"], bool(TITLE.fullmatch(told["result"]))) == ("slow down", True)


def test_the_admin_is_told_everything(production: ServerProcess) -> None:
    """Whoever holds the key may read the log anyway."""
    key = (production.project / ".headwater" / "admin_key").read_text().strip()
    told = answer(production, "failures:broken", {}, Authorization=f"Convex {key}")
    assert "the cable is out" in told["errorMessage"]


def test_show_errors_tells_everybody(start_server: StartServer) -> None:
    """For a deployment of one's own, among friends."""
    server = start_server("serve", arguments=["--show-errors"])
    assert "the cable is out" in answer(server, "failures:broken", {})["errorMessage"]
    assert answer(server, "logs:speak", {"word": "w"})["logLines"]
