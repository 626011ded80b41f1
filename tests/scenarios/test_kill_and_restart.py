"""kill -9 in the middle of work: nothing acknowledged is lost, nothing is applied twice."""

import os
import signal

import pytest

from tests.scenarios.conftest import OpenClient, OpenRaw, StartServer
from tests.scenarios.server_process import ServerProcess

SUBSCRIBING = ["browser", "react", "python"]
ROUNDS = 40
ACKNOWLEDGED = 10


@pytest.mark.parametrize("client", SUBSCRIBING)
def test_client_survives_the_kill(
    client: str, start_server: StartServer, open_client: OpenClient
) -> None:
    """Increments sent before, during and after the kill each count exactly once.

    The client replays what it had no answer for; the server answers what it had applied already
    from its record. So every call succeeds and the count is the number of calls.
    """
    server = start_server()
    user = open_client(client, server)
    feed = user.subscribe("counters:read", name="kills")
    feed.equals(0)
    increment = {"path": "counters:increment", "args": {"name": "kills"}}
    calls = [user.send("mutation", **increment) for _ in range(ROUNDS)]
    results = [user.result(call) for call in calls[:ACKNOWLEDGED]]
    calls += [user.send("mutation", **increment) for _ in range(ROUNDS)]
    server.kill()
    calls.append(user.send("mutation", **increment))
    server.start()
    results += [user.result(call) for call in calls[ACKNOWLEDGED:]]
    assert sorted(results) == list(range(1, 2 * ROUNDS + 2))
    feed.equals(2 * ROUNDS + 1)
    assert server.call("query", "counters:read", name="kills") == 2 * ROUNDS + 1


def test_replay_after_kill_when_the_answer_was_lost(
    start_server: StartServer, open_raw: OpenRaw
) -> None:
    """A mutation acknowledged before the kill and replayed after it gives its stored result."""
    server = start_server()
    before = open_raw(server)
    answer = before.mutate(0, "counters:increment", name="once")
    server.restart()
    after = open_raw(server, greet=False)
    after.session_id = before.session_id
    after.hello(connectionCount=1, maxObservedTimestamp=answer["ts"])
    replayed = after.mutate(0, "counters:increment", name="once")
    assert (replayed["success"], replayed["result"]) == (True, 1)
    after.reach(replayed["ts"])
    assert server.call("query", "counters:read", name="once") == 1


def test_acknowledged_writes_of_many_clients_survive(
    start_server: StartServer, open_raw: OpenRaw
) -> None:
    """Whatever was acknowledged when the server died is there when it is back."""
    server = start_server()
    clients = [open_raw(server) for _ in range(8)]
    for number, client in enumerate(clients):
        for request_id in range(5):
            client.request(
                "Mutation", request_id, "tasks:create", title=f"{number}-{request_id}", assignee="x"
            )
    acknowledged = {client.receive("MutationResponse")["result"] for client in clients}
    server.restart()
    kept = {task["_id"] for task in server.call("query", "tasks:list", assignee="x")}
    assert acknowledged <= kept


def test_timestamps_go_on_after_a_restart(start_server: StartServer, open_raw: OpenRaw) -> None:
    """A client that has seen the newest timestamp is served, and never a smaller one."""
    server = start_server()
    before = open_raw(server)
    answer = before.mutate(0, "counters:increment", name="time")
    before.reach(answer["ts"])
    newest = before.version["ts"]
    server.restart()
    after = open_raw(server, greet=False).hello(maxObservedTimestamp=newest)
    assert after.add(0, "counters:read", name="time")["value"] == 1
    after.reach(newest)


def test_serving_process_killed_alone_comes_back_by_itself(
    start_server: StartServer, open_client: OpenClient
) -> None:
    """The supervisor restarts a server that died; the client notices only a pause."""
    server = start_server()
    user = open_client("python", server)
    feed = user.subscribe("counters:read", name="phoenix")
    feed.equals(0)
    user.call("mutation", "counters:increment", name="phoenix")
    killed = server.serving_pid()
    os.kill(killed, signal.SIGKILL)
    user.call("mutation", "counters:increment", name="phoenix")
    feed.equals(2)
    assert server.serving_pid() != killed


def test_ctrl_c_ends_it_cleanly(start_server: StartServer) -> None:
    """Ctrl-C: exit code 0, no traceback, and the port is free again."""
    server = start_server()
    assert server.stop() == 0
    assert "Traceback" not in server.said()
    assert not still_listening(server)


def still_listening(server: ServerProcess) -> bool:
    """Whether anything still answers on the server's port."""
    try:
        return server.fetch("/version")[0] > 0
    except OSError:
        return False


def test_second_server_on_the_same_file_is_refused(start_server: StartServer) -> None:
    """Two processes on one database would corrupt it: the second says so and ends."""
    server = start_server()
    second = server.twin()
    with pytest.raises(AssertionError, match="ended by itself"):
        second.start()
    assert "Traceback" not in second.said()
    assert server.answers()
