"""The official clients work unchanged: subscribe, mutate, receive, fail, log."""

import json
from typing import Any

import pytest

from tests.scenarios.conftest import Clients, OpenClient
from tests.scenarios.official_clients import CallFailed
from tests.scenarios.server_process import ServerProcess, wait_for

SUBSCRIBING = ["browser", "react", "python"]
EVERY = [*SUBSCRIBING, "http", "next"]
REFUSAL = {"code": "RATE_LIMITED", "retryAfterMs": 900}


@pytest.mark.parametrize("client", SUBSCRIBING)
def test_subscriber_receives_what_a_mutation_wrote(
    client: str, clients: Clients, name: str
) -> None:
    """A subscription gives the empty list, then the task its own mutation created."""
    user = clients(client)
    feed = user.subscribe("tasks:list", assignee=name)
    feed.equals([])
    task_id = user.call("mutation", "tasks:create", title="Write", assignee=name)
    seen = feed.sees(lambda tasks: len(tasks) == 1)
    assert seen[0].pop("_creationTime") > 1e12
    assert seen == [{"_id": task_id, "title": "Write", "assignee": name, "completed": False}]


@pytest.mark.parametrize("client", SUBSCRIBING)
def test_subscriber_receives_what_others_wrote(
    client: str, server: ServerProcess, clients: Clients, name: str
) -> None:
    """Create, toggle and remove by somebody else reach a subscriber one after another."""
    user = clients(client)
    feed = user.subscribe("tasks:list", assignee=name)
    feed.equals([])
    task_id = server.call("mutation", "tasks:create", title="Read", assignee=name)
    feed.sees(lambda tasks: [task["completed"] for task in tasks] == [False])
    server.call("mutation", "tasks:toggle", id=task_id)
    feed.sees(lambda tasks: [task["completed"] for task in tasks] == [True])
    server.call("mutation", "tasks:remove", id=task_id)
    feed.equals([])


@pytest.mark.parametrize("client", EVERY)
def test_query_mutation_and_action_return_values(client: str, clients: Clients, name: str) -> None:
    """Each kind of function answers each client, and an action's mutations are done."""
    user = clients(client)
    assert user.call("mutation", "counters:increment", name=name) == 1
    assert user.call("query", "counters:read", name=name) == 1
    assert user.call("action", "people:countTwice", name=name) == 3


@pytest.mark.parametrize("client", EVERY)
@pytest.mark.parametrize(
    "data", [REFUSAL, "slow down", None, {"deep": [{"big": {"$integer": "AQAAAAAAAAA="}}]}]
)
def test_app_error_reaches_the_client_with_its_data(
    client: str, data: Any, clients: Clients
) -> None:
    """An AppError is a ConvexError on every client, data unchanged, null included."""
    user = clients(client)
    with pytest.raises(CallFailed) as failed:
        user.call("mutation", "failures:refused", data=data)
    assert failed.value.has_data
    assert failed.value.data == data


@pytest.mark.parametrize("client", EVERY)
def test_action_refuses_with_data(client: str, clients: Clients) -> None:
    """An AppError in an action is a ConvexError, too."""
    with pytest.raises(CallFailed) as failed:
        clients(client).call("action", "failures:refusedAction")
    assert failed.value.data == REFUSAL


@pytest.mark.parametrize("client", EVERY)
def test_plain_error_is_no_convex_error(client: str, clients: Clients) -> None:
    """Any other exception is a plain Error that names class, message, function and line."""
    with pytest.raises(CallFailed) as failed:
        clients(client).call("mutation", "failures:broken")
    assert not failed.value.has_data
    assert "the cable is out" in failed.value.message
    assert "failures.py" in failed.value.message


@pytest.mark.parametrize("client", SUBSCRIBING)
def test_query_that_begins_to_refuse(
    client: str, server: ServerProcess, clients: Clients, name: str
) -> None:
    """A subscribed query that fails after a commit shows its AppError, data and all."""
    user = clients(client)
    feed = user.subscribe("failures:refusedQuery", name=name)
    feed.equals(0)
    server.call("mutation", "counters:increment", name=name)
    assert feed.fails().data == REFUSAL


@pytest.mark.parametrize("client", EVERY)
def test_unknown_function_has_the_known_text(client: str, clients: Clients) -> None:
    """Tools match on this text, so it is Convex's own."""
    with pytest.raises(CallFailed, match="Could not find public function for 'tasks:nope'"):
        clients(client).call("mutation", "tasks:nope")


@pytest.mark.parametrize("client", EVERY)
@pytest.mark.parametrize(("kind", "path"), [("query", "secret"), ("mutation", "secretWrite")])
def test_internal_function_is_refused(client: str, kind: str, path: str, clients: Clients) -> None:
    """To a client an internal function does not exist."""
    with pytest.raises(CallFailed, match=f"Could not find public function for 'people:{path}'"):
        clients(client).call(kind, f"people:{path}")


@pytest.mark.parametrize("client", EVERY)
def test_wrong_arguments_are_named(client: str, clients: Clients) -> None:
    """A call that does not fit the signature says which argument, and what was expected."""
    with pytest.raises(CallFailed, match="ArgumentValidationError") as failed:
        clients(client).call("mutation", "tasks:create", title=5, assignee="ana")
    assert "title" in failed.value.message


@pytest.mark.parametrize("client", ["browser", "react", "http"])
def test_log_lines_reach_the_client(
    client: str, server: ServerProcess, open_client: OpenClient
) -> None:
    """What a handler prints and logs comes out on the client's console, with its level."""
    user = open_client(client, server)
    user.call("mutation", "logs:speak", word="hello")
    wait_for(lambda: len(user.logs) >= 3, "three log lines")
    said = [line for line in user.logs if "logs:speak" in line]
    assert [line.split("[CONVEX M(logs:speak)] ")[1].split("]")[0] for line in said] == [
        "[LOG",
        "[WARN",
        "[ERROR",
    ]
    assert "'said' 'hello'" in said[0]


@pytest.mark.parametrize("client", ["browser", "react"])
def test_nothing_alarming_is_printed(
    client: str, server: ServerProcess, open_client: OpenClient, name: str
) -> None:
    """A quiet story leaves a quiet console: no parse failures, no slow-result warnings."""
    user = open_client(client, server)
    feed = user.subscribe("counters:read", name=name)
    feed.equals(0)
    user.call("mutation", "counters:increment", name=name)
    feed.equals(1)
    assert user.logs == []


@pytest.mark.parametrize("client", ["browser", "react"])
def test_unsubscribed_query_is_silent(client: str, clients: Clients, name: str) -> None:
    """After unsubscribing nothing more arrives, while another subscription goes on."""
    user = clients(client)
    ended = user.subscribe("counters:read", name=name)
    ended.equals(0)
    kept = user.subscribe("tasks:list", assignee=name)
    kept.equals([])
    user.unsubscribe(ended)
    user.call("mutation", "counters:increment", name=name)
    user.call("mutation", "tasks:create", title="Last", assignee=name)
    kept.sees(lambda tasks: len(tasks) == 1)
    assert ended.updates == [0]


@pytest.mark.parametrize("client", EVERY)
def test_identity_reaches_the_handler(
    client: str, server: ServerProcess, open_client: OpenClient
) -> None:
    """A dev token makes the caller somebody; without one the same query says nobody."""
    user = open_client(client, server)
    assert user.call("query", "people:whoami") is None
    user.identify(server.token("ana"))
    assert user.call("query", "people:whoami") == "ana"


@pytest.mark.parametrize("client", SUBSCRIBING)
def test_signing_in_reruns_what_asked_who(
    client: str, server: ServerProcess, open_client: OpenClient
) -> None:
    """A running subscription that looked at the identity follows a change of it."""
    user = open_client(client, server)
    feed = user.subscribe("people:whoami")
    feed.equals(None)
    user.identify(server.token("bob"))
    feed.equals("bob")


def test_pages_of_the_browser_client_grow_and_stay_whole(
    server: ServerProcess, clients: Clients, name: str
) -> None:
    """`onPaginatedUpdate_experimental`: one list of all pages loaded, that follows every change."""
    for number in range(7):
        server.call("mutation", "tasks:create", title=f"task {number}", assignee=name)
    user = clients("browser")
    feed = user.paginate("tasks:page", 3, assignee=name)
    first = feed.sees(lambda shown: len(shown["results"]) == 3, "the first page")
    assert first["status"] == "CanLoadMore"
    user.load_more(feed, 3)
    two = feed.sees(lambda shown: len(shown["results"]) == 6, "two pages")
    server.call("mutation", "tasks:remove", id=two["results"][2]["_id"])
    five = feed.sees(lambda shown: len(shown["results"]) == 5, "one less")
    titles = [task["title"] for task in five["results"]]
    assert titles == ["task 0", "task 1", "task 3", "task 4", "task 5"]
    user.load_more(feed, 3)
    last = feed.sees(lambda shown: shown["status"] == "Exhausted", "the end")
    assert [task["title"] for task in last["results"]] == [*titles, "task 6"]


def test_a_query_is_preloaded_on_a_server(
    server: ServerProcess, clients: Clients, name: str
) -> None:
    """`preloadQuery` of convex/nextjs gives a payload with name, arguments and value."""
    task = server.call("mutation", "tasks:create", title="Read", assignee=name)
    made = clients("next").call("preload", "tasks:list", assignee=name)
    assert [found["_id"] for found in made["value"]] == [task]
    assert json.loads(made["payload"]) == {
        "_name": "tasks:list",
        "_argsJSON": {"assignee": name},
        "_valueJSON": made["value"],
    }


@pytest.mark.parametrize("client", ["browser", "python"])
def test_a_mutation_that_is_too_large_fails(
    client: str, server: ServerProcess, open_client: OpenClient, name: str
) -> None:
    """Its promise is rejected with the limit, and the client goes on; it is not sent for ever."""
    user = open_client(client, server)
    with pytest.raises(CallFailed, match="the limit is 20971520"):
        user.call("mutation", "values:keep", name=name, value="x" * 22_000_000)
    assert user.call("mutation", "counters:increment", name=name) == 1
