"""Handlers that never end are stopped, named with their line, and nobody else suffers."""

import json
import re

import pytest

from tests.scenarios.conftest import OpenClient, OpenRaw, StartServer
from tests.scenarios.official_clients import CallFailed
from tests.scenarios.raw_client import RawClient
from tests.scenarios.server_process import ServerProcess, wait_for

RUNAWAY = ["spin", "spinGuarded", "snooze", "badRegex", "sheltered", "disarm"]


def snake(name: str) -> str:
    """camelCase to snake_case."""
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def check_named(text: str, function: str) -> None:
    """The error names the function, its file and a line, and says that it took too long."""
    assert re.search(rf"hostile(\.py|:){snake(function)}|{snake(function)}|{function}", text), text
    assert re.search(r"hostile\.py:\d+", text), text


@pytest.mark.parametrize("function", RUNAWAY)
def test_runaway_mutation_is_stopped(
    function: str, server: ServerProcess, raw: RawClient, open_raw: OpenRaw, name: str
) -> None:
    """It fails with an error that names function and line; the other client's call is done."""
    other = open_raw(server)
    raw.request("Mutation", 0, f"hostile:{function}")
    answer = other.mutate(0, "counters:increment", name=name)
    assert answer["result"] == 1
    failed = raw.receive("MutationResponse")
    assert not failed["success"]
    assert re.search(r"limit|too long|second|ms", failed["result"]), failed
    check_named(failed["result"], function)


def test_runaway_query_is_stopped(raw: RawClient, name: str) -> None:
    """A subscribed query that never ends fails; the same client's next call is served."""
    failed = raw.add(0, "hostile:spinQuery")
    assert failed["type"] == "QueryFailed"
    check_named(failed["errorMessage"], "spinQuery")
    assert raw.mutate(0, "counters:increment", name=name)["result"] == 1


@pytest.mark.parametrize("function", ["foreignAwait", "swallowedAwait"])
def test_foreign_await_is_refused(function: str, raw: RawClient) -> None:
    """Awaiting what is not ctx is an error that names the rule and the line, though swallowed."""
    failed = raw.mutate(0, f"hostile:{function}")
    assert not failed["success"], failed
    assert re.search(r"HW\d\d\d", failed["result"]), failed
    check_named(failed["result"], function)


def test_exception_in_a_query_names_its_line(raw: RawClient) -> None:
    """A query that raises fails with class, message, function and line."""
    failed = raw.add(0, "failures:brokenQuery")
    assert "ZeroDivisionError" in failed["errorMessage"]
    assert re.search(r"broken_query \(.*failures\.py:\d+", failed["errorMessage"]), failed


def test_handler_beyond_signals_is_ended_with_its_process(
    start_server: StartServer, open_raw: OpenRaw
) -> None:
    """Where no signal gets through the process is replaced; what was acknowledged stays."""
    server = start_server(function_limit_s="0.3", hard_limit_s="1")
    other = open_raw(server)
    acknowledged = [other.mutate(n, "counters:increment", name="kept")["result"] for n in range(5)]
    before = server.serving_pid()
    hostile = open_raw(server)
    hostile.request("Mutation", 0, "hostile:countInC")
    hostile.closing_words()
    wait_until_replaced(server, before)
    assert server.call("query", "counters:read", name="kept") == acknowledged[-1] == 5
    assert "hostile.py" in server.said()


def wait_until_replaced(server: ServerProcess, pid: int) -> None:
    """Wait until another process serves."""
    wait_for(lambda: server.serving_pid() != pid and server.answers(), "another process serves")


def test_runaway_over_http_is_stopped(server: ServerProcess) -> None:
    """The same error over HTTP: 200 with status error."""
    status, text = server.post("/api/mutation", {"path": "hostile:spin", "args": {}})
    assert (status, json.loads(text)["status"]) == (200, "error")
    check_named(json.loads(text)["errorMessage"], "spin")


@pytest.mark.parametrize(
    "kind", ["mutation", pytest.param("subscription", marks=pytest.mark.prove)]
)
def test_client_that_repeats_a_killing_call_is_refused(
    kind: str, start_server: StartServer, open_client: OpenClient
) -> None:
    """An official client sends the call again after the restart: it must not kill for ever."""
    server = start_server(function_limit_s="0.3", hard_limit_s="1")
    killer, other = open_client("browser", server), open_client("browser", server)
    if kind == "mutation":
        with pytest.raises(CallFailed) as failed:
            killer.call("mutation", "hostile:countInC")
        refusal = failed.value
    else:
        refusal = killer.subscribe("hostile:countInCQuery").fails()
    assert "was running when the server process ended" in refusal.message
    assert other.call("mutation", "counters:increment", name="after") == 1


@pytest.mark.parametrize("code", [0, pytest.param(1, marks=pytest.mark.prove)])
def test_handler_that_ends_the_process_does_not_end_the_server(
    code: int, start_server: StartServer, open_raw: OpenRaw
) -> None:
    """Whatever exit code it chooses, another process serves, and refuses it for a while."""
    server = start_server()
    before = server.serving_pid()
    client = open_raw(server)
    client.request("Mutation", 0, "hostile:endProcess", code=code)
    client.closing_words()
    wait_until_replaced(server, before)
    again = open_raw(server).mutate(0, "hostile:endProcess", code=code)
    assert "was running when the server process ended" in again["result"]


def test_action_that_holds_the_interpreter_is_ended_with_its_process(
    start_server: StartServer, open_raw: OpenRaw
) -> None:
    """No thread of the process runs any more: the supervisor hears no beat, and starts another."""
    server = start_server(silent_server_s="1", hard_limit_s="60")
    client = open_raw(server)
    client.mutate(0, "counters:increment", name="kept")
    before = server.serving_pid()
    client.request("Action", 1, "hostile:countInCAction")
    client.closing_words()
    wait_until_replaced(server, before)
    assert server.call("query", "counters:read", name="kept") == 1
    assert "silent" in server.said()


def test_blocking_action_holds_up_no_client(
    server: ServerProcess, raw: RawClient, open_raw: OpenRaw, name: str
) -> None:
    """An action that sleeps without awaiting delays itself: other clients are served meanwhile."""
    other = open_raw(server)
    raw.request("Action", 0, "hostile:sleepyAction")
    raw.request("Mutation", 1, "counters:increment", name=name)
    assert other.mutate(0, "counters:increment", name=f"{name} other")["result"] == 1
    assert raw.receive("MutationResponse")["result"] == 1
    assert raw.receive("ActionResponse")["success"]
