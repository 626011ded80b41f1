"""Mutations sent again after a reconnect: applied once, answered from the record, privately."""

from typing import Any

import pytest

from tests.scenarios.conftest import OpenRaw, StartServer
from tests.scenarios.raw_client import Message, RawClient, read_ts, write_ts
from tests.scenarios.server_process import ServerProcess


def again(server: ServerProcess, open_raw: OpenRaw, session_id: str, **hello: Any) -> RawClient:
    """A new connection that claims an earlier session."""
    client = open_raw(server, greet=False)
    client.session_id = session_id
    return client.hello(connectionCount=1, lastCloseReason="x", **hello)


def refusal(client: RawClient) -> str:
    """The text a request is refused with: its own failure, or the end of the socket."""
    answer = client.next()
    while answer["type"] in ("Transition", "Ping"):
        answer = client.next()
    assert answer["type"] == "FatalError" or answer.get("success") is False, answer
    text: str = answer["error"] if answer["type"] == "FatalError" else answer["result"]
    return text


def test_request_sent_again_gives_the_stored_result(
    server: ServerProcess, open_raw: OpenRaw, name: str
) -> None:
    """The replay is answered with the first result and timestamp, and nothing runs."""
    first = open_raw(server)
    answer = first.mutate(7, "counters:increment", name=name)
    first.mutate(8, "counters:increment", name=name)
    first.close()
    second = again(server, open_raw, first.session_id)
    replayed = second.mutate(7, "counters:increment", name=name)
    assert (replayed["success"], replayed["result"]) == (True, 1)
    assert read_ts(replayed["ts"]) >= read_ts(answer["ts"])
    second.reach(replayed["ts"])
    assert server.call("query", "counters:read", name=name) == 2


def test_failed_request_sent_again_runs_again(server: ServerProcess, open_raw: OpenRaw) -> None:
    """A failure changed nothing, so it is not kept: the replay fails as freshly."""
    first = open_raw(server)
    first.mutate(0, "failures:broken")
    replayed = again(server, open_raw, first.session_id).mutate(0, "failures:broken")
    assert (replayed["success"], "the cable is out" in replayed["result"]) == (False, True)


@pytest.mark.parametrize(
    ("path", "changes"),
    [("counters:increment", {"name": "other"}), ("tasks:create", {"title": "t", "assignee": "a"})],
    ids=["other arguments", "other function"],
)
def test_stolen_session_id_gets_no_stored_result(
    path: str, changes: dict[str, str], server: ServerProcess, open_raw: OpenRaw, name: str
) -> None:
    """A known session and request id with another call is an error, not somebody's result."""
    owner = open_raw(server)
    owner.mutate(0, "values:keep", name=name, value="private")
    thief = again(server, open_raw, owner.session_id)
    thief.request("Mutation", 0, path, **changes)
    assert "private" not in refusal(thief)
    assert server.call("query", "tasks:list", assignee="a") == []


def test_stolen_session_id_of_another_person(
    server: ServerProcess, open_raw: OpenRaw, name: str
) -> None:
    """The very same call under another identity is an error, too."""
    owner = open_raw(server)
    owner.identify(server.token("ana"))
    owner.mutate(0, "counters:increment", name=name)
    thief = again(server, open_raw, owner.session_id)
    thief.identify(server.token("eve"))
    thief.request("Mutation", 0, "counters:increment", name=name)
    refusal(thief)
    assert server.call("query", "counters:read", name=name) == 1


def test_two_sockets_of_one_session_apply_once(
    server: ServerProcess, open_raw: OpenRaw, name: str
) -> None:
    """The old socket may still be open when the client replays on a new one."""
    old = open_raw(server)
    new = again(server, open_raw, old.session_id)
    answers: list[Message] = []
    for client in (old, new):
        client.request("Mutation", 0, "counters:increment", name=name)
    answers += [client.receive("MutationResponse") for client in (old, new)]
    assert [answer["result"] for answer in answers] == [1, 1]
    assert server.call("query", "counters:read", name=name) == 1


def test_future_timestamp_closes_with_an_error(server: ServerProcess, open_raw: OpenRaw) -> None:
    """A client that has seen more than the server knows must not be shown older data."""
    ahead = write_ts(2**62)
    client = open_raw(server, greet=False).hello(maxObservedTimestamp=ahead)
    messages, code, reason = client.closing_words()
    said = reason + "".join(message.get("error", "") for message in messages)
    assert "newer version of the database" in said, (messages, code, reason)
    assert not any(message["type"] == "Transition" for message in messages)


def test_wiped_database_refuses_who_saw_the_old_one(
    start_server: StartServer, open_raw: OpenRaw
) -> None:
    """After the file is gone a client with a newer timestamp is told so, also without a write."""
    server = start_server()
    client = open_raw(server)
    seen = client.mutate(0, "counters:increment", name="x")["ts"]
    ahead = write_ts(read_ts(seen) + 3600 * 10**9)
    server.kill()
    for file in (server.project / ".headwater").glob("data.sqlite3*"):
        file.unlink()
    server.start()
    later = again(server, open_raw, client.session_id, maxObservedTimestamp=ahead)
    messages, _, _ = later.closing_words()
    assert not any(message["type"] == "Transition" for message in messages)
