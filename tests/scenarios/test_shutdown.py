"""A server that is stopped: actions that run get a while to end, then they are cancelled."""

import threading

import pytest

from tests.scenarios.conftest import OpenRaw, StartServer
from tests.scenarios.server_process import ServerProcess, wait_for

PATH = "faults:countAroundAWait"


def count(server: ServerProcess) -> int:
    """How often it counted."""
    value: int = server.call("query", "counters:read", name="n")
    return value


@pytest.mark.parametrize("over", ["socket", pytest.param("http", marks=pytest.mark.prove)])
def test_an_action_ends_what_it_began(
    over: str, start_server: StartServer, open_raw: OpenRaw
) -> None:
    """Though its client is cut off and the server told to stop: its second mutation is kept."""
    server = start_server()
    args = {"name": "n", "seconds": 0.4}
    if over == "socket":
        open_raw(server).request("Action", 0, PATH, **args)
    else:
        body = {"path": PATH, "args": args}
        threading.Thread(target=server.post, args=("/api/action", body), daemon=True).start()
    wait_for(lambda: count(server) == 1, "the action has begun")
    assert server.stop() == 0
    assert "waiting up to 5 s for faults:countAroundAWait" in server.said()
    server.start()
    assert count(server) == 2


def test_action_shutdown_s_is_a_limit(start_server: StartServer, open_raw: OpenRaw) -> None:
    """What takes longer is cancelled, and whoever stops the server reads which."""
    server = start_server(action_shutdown_s="0.1")
    open_raw(server).request("Action", 0, PATH, name="n", seconds=60.0)
    wait_for(lambda: count(server) == 1, "the action has begun")
    assert server.stop() == 0
    assert "cancelled: faults:countAroundAWait" in server.said()


def test_an_action_outlives_its_socket(server: ServerProcess, open_raw: OpenRaw, name: str) -> None:
    """A page that is closed leaves no half of an action behind."""
    raw = open_raw(server)
    raw.request("Action", 0, PATH, name=name, seconds=0.1)
    wait_for(lambda: server.call("query", "counters:read", name=name) == 1, "it has begun")
    raw.close()
    wait_for(lambda: server.call("query", "counters:read", name=name) == 2, "it has ended")
