"""kill -9 in the middle of work: nothing acknowledged is lost, nothing is applied twice."""

import json
import os
import signal
import threading
from itertools import pairwise

import pytest
from websockets.sync.server import ServerConnection, serve

from tests.scenarios.conftest import OpenClient, OpenRaw, StartServer
from tests.scenarios.official_clients import OfficialClient
from tests.scenarios.server_process import ServerProcess, wait_for

INCREMENT = {"path": "counters:increment", "args": {"name": "kills"}}
ROUNDS = 40
ACKNOWLEDGED = 10


def results_across_a_kill(server: ServerProcess, user: OfficialClient) -> list[float]:
    """The results of increments sent before, during and after the kill."""
    calls = [user.send("mutation", **INCREMENT) for _ in range(ROUNDS)]
    results = [user.result(call) for call in calls[:ACKNOWLEDGED]]
    calls += [user.send("mutation", **INCREMENT) for _ in range(ROUNDS)]
    server.kill()
    calls.append(user.send("mutation", **INCREMENT))
    server.start()
    return results + [user.result(call) for call in calls[ACKNOWLEDGED:]]


@pytest.mark.parametrize("client", [pytest.param("browser", marks=pytest.mark.prove), "react"])
def test_each_call_counts_once_across_a_kill(
    client: str, start_server: StartServer, open_client: OpenClient
) -> None:
    """The client replays what it had no answer for; the server applies nothing twice.

    What it had applied already it answers from its record. So every call succeeds, and the count is
    the number of calls.
    """
    server = start_server()
    user = open_client(client, server)
    feed = user.subscribe("counters:read", name="kills")
    feed.equals(0)
    results = results_across_a_kill(server, user)
    assert sorted(results) == list(range(1, 2 * ROUNDS + 2))
    feed.equals(2 * ROUNDS + 1)
    assert server.call("query", "counters:read", name="kills") == 2 * ROUNDS + 1


def test_python_client_loses_nothing_across_a_kill(
    start_server: StartServer, open_client: OpenClient
) -> None:
    """Every call of the PyPI client is applied, all acknowledged ones once.

    It takes a new session id at each reconnect, so no server can know its unanswered call again:
    if that was applied before the kill, it is applied a second time.
    """
    server = start_server()
    user = open_client("python", server)
    feed = user.subscribe("counters:read", name="kills")
    feed.equals(0)
    results = results_across_a_kill(server, user)
    assert all(earlier < later for earlier, later in pairwise(results))
    count = server.call("query", "counters:read", name="kills")
    assert count == results[-1]
    assert count - len(results) in (0, 1)
    feed.equals(count)


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
    """The supervisor restarts a server that died; the client notices only a pause.

    A client that sends again what it had no answer for: the PyPI one may give up a call that was on
    its way when the connection broke.
    """
    server = start_server()
    user = open_client("react", server)
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


def test_python_client_takes_a_new_session_id_at_each_reconnect() -> None:
    """Why its calls are applied at least once only. When this fails, hold it to exactly once."""
    sessions: list[str] = []

    def drop_after_connect(socket: ServerConnection) -> None:
        sessions.append(json.loads(socket.recv())["sessionId"])
        socket.socket.close()

    with serve(drop_after_connect, "127.0.0.1", 0) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        client = OfficialClient("python", f"http://127.0.0.1:{listener.socket.getsockname()[1]}")
        client.send("mutation", **INCREMENT)
        try:
            wait_for(lambda: len(sessions) == 2, "the client connects again")
        finally:
            client.end()
    assert sessions[0] != sessions[1]
