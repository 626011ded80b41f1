"""Several queries at one timestamp, over HTTP: `consistentQuery` of the official client."""

import json

import pytest

from tests.scenarios.conftest import Clients, OpenClient, StartServer
from tests.scenarios.official_clients import CallFailed, OfficialClient
from tests.scenarios.server_process import ServerProcess


def consistent(client: OfficialClient, path: str, anew: bool = False, **args: object) -> object:
    """A consistent query; `anew` begins at a new timestamp."""
    return client.result(client.send("consistent", path=path, args=args, anew=anew))


def test_queries_of_one_client_see_one_snapshot(
    server: ServerProcess, clients: Clients, name: str
) -> None:
    """Whatever is written between them: changed, added, removed; a new client sees it."""
    client = clients("http")
    first = server.call("mutation", "tasks:create", title="a", assignee=name)
    other = server.call("mutation", "tasks:create", title="b", assignee=name)
    before = consistent(client, "tasks:list", anew=True, assignee=name)
    assert isinstance(before, list)
    assert len(before) == 2
    server.call("mutation", "tasks:toggle", id=first)
    server.call("mutation", "tasks:remove", id=other)
    server.call("mutation", "tasks:create", title="c", assignee=name)
    assert consistent(client, "tasks:list", assignee=name) == before
    after = consistent(client, "tasks:list", anew=True, assignee=name)
    assert isinstance(after, list)
    assert [task["title"] for task in after] == ["a", "c"]


def test_a_timestamp_that_is_gone_is_refused(
    start_server: StartServer, open_client: OpenClient
) -> None:
    """With a code and what to do, and never with newer data."""
    server = start_server(snapshot_bytes="1")
    client = open_client("http", server)
    assert consistent(client, "counters:read", name="n") == 0
    server.call("mutation", "counters:increment", name="n")
    with pytest.raises(CallFailed) as refused:
        consistent(client, "counters:read", name="n")
    told = json.loads(refused.value.message)
    assert told["code"] == "OutOfRetention"
    assert "make a new ConvexHttpClient" in told["message"]
    assert consistent(client, "counters:read", anew=True, name="n") == 1
