"""The sync protocol message by message, and the ten quirks that official clients trip over."""

import re
from itertools import pairwise
from typing import Any

import pytest
from convex.http_client import ConvexHttpClient

from tests.scenarios.conftest import OpenClient, OpenRaw, StartServer
from tests.scenarios.raw_client import RawClient, added, read_ts, removed
from tests.scenarios.server_process import ServerProcess

PATHS = ["/api/sync", "/api/1.48.0/sync", "/api/1.0.0/sync", "/api/1.49.0-alpha.3/sync"]


@pytest.mark.parametrize("path", PATHS)
def test_each_client_path_is_served(path: str, server: ServerProcess, open_raw: OpenRaw) -> None:
    """Every path an official client connects to speaks the protocol."""
    client = open_raw(server, path=path)
    assert client.add(0, "counters:read", name="nobody")["value"] == 0


def test_empty_query_set_is_answered(raw: RawClient) -> None:
    """A client without queries gets its version confirmed, or its requests would never resolve."""
    raw.modify()
    raw.until(lambda: raw.version["querySet"] == 1)
    assert raw.results == {}


def test_path_without_extension_or_function(raw: RawClient) -> None:
    """`.js` is stripped from a path."""
    assert raw.add(0, "counters.js:read", name="nobody")["value"] == 0


def test_quirk_1_response_comes_before_a_transition_that_reaches_it(
    raw: RawClient, name: str
) -> None:
    """A mutation that changes no query of this client is still followed by a transition."""
    raw.add(0, "counters:read", name=f"{name} other")
    seen = len(raw.transitions)
    answer = raw.mutate(0, "counters:increment", name=name)
    assert len(raw.transitions) == seen, "the transition came before the response"
    raw.reach(answer["ts"])
    assert raw.transitions[-1]["modifications"] == []


def test_quirk_1_holds_for_a_query_that_changes(raw: RawClient, name: str) -> None:
    """The response is sent before the transition that shows it."""
    raw.add(0, "counters:read", name=name)
    seen = len(raw.transitions)
    answer = raw.mutate(0, "counters:increment", name=name)
    assert len(raw.transitions) == seen, "the transition came before the response"
    raw.reach(answer["ts"])
    assert raw.value(0) == 1


def test_quirk_2_versions_join_without_a_gap(
    server: ServerProcess, open_raw: OpenRaw, name: str
) -> None:
    """Under changing query sets and many writers every start version is the last end version.

    The raw client checks each; here is what makes it hard.
    """
    reader, writer = open_raw(server), open_raw(server)
    for number in range(40):
        reader.modify(added(number, "counters:read", name=f"{name} {number % 3}"))
        writer.request("Mutation", number, "counters:increment", name=f"{name} {number % 3}")
        if number >= 5:
            reader.modify(removed(number - 5))
    reader.until(lambda: reader.version["querySet"] == reader.query_set)
    last = [writer.receive("MutationResponse") for _ in range(40)][-1]
    reader.mutate(0, "counters:increment", name=name)
    reader.reach(last["ts"])
    expected = {number: [14, 13, 13][number % 3] for number in range(35, 40)}
    assert {number: reader.value(number) for number in reader.results} == expected
    assert all(
        earlier["endVersion"] == later["startVersion"]
        for earlier, later in pairwise(reader.transitions)
    )


def test_quirk_3_clock_fields_are_both_numbers_or_both_absent(raw: RawClient, name: str) -> None:
    """A null there makes the client print that results took twenty seconds."""
    raw.add(0, "counters:read", name=name)
    raw.reach(raw.mutate(0, "counters:increment", name=name)["ts"])
    for transition in raw.transitions:
        fields = [transition[key] for key in ("clientClockSkew", "serverTs") if key in transition]
        assert len(fields) in (0, 2)
        assert all(isinstance(number, int | float) for number in fields)


def test_quirk_4_failed_mutation_has_no_timestamp(raw: RawClient) -> None:
    """A failed mutation is answered at once with `ts: null`."""
    answer = raw.mutate(0, "failures:broken")
    assert (answer["success"], answer["ts"]) == (False, None)
    assert "the cable is out" in answer["result"]


def test_quirk_5_log_lines_can_be_parsed(raw: RawClient) -> None:
    """Each log line looks as the client's pattern wants it, from queries too."""
    lines = raw.mutate(0, "logs:speak", word="hello")["logLines"]
    lines += raw.add(0, "logs:speakQuery", word="hello")["logLines"]
    assert len(lines) == 4
    assert all(re.match(r"^\[.*?\] ", line) for line in lines), lines


def test_log_lines_of_a_failure_are_kept(raw: RawClient) -> None:
    """What was printed before the exception is what helps most."""
    answer = raw.mutate(0, "logs:speakAndFail")
    assert answer["logLines"] == ["[LOG] 'before the fall'"]


def test_quirk_6_journal_is_always_there(raw: RawClient) -> None:
    """QueryUpdated and QueryFailed carry a journal, null where there is none."""
    assert raw.add(0, "counters:read", name="nobody")["journal"] is None
    assert raw.add(1, "failures:brokenQuery")["journal"] is None


def test_quirk_6_error_data_is_present_or_absent_as_meant(raw: RawClient) -> None:
    """errorData present, even null, makes a ConvexError; absent makes a plain Error."""
    assert raw.mutate(0, "failures:refused", data=None)["errorData"] is None
    assert "errorData" not in raw.mutate(1, "failures:broken")
    assert "errorData" not in raw.add(0, "failures:brokenQuery")


def test_quirk_7_retries_are_reset_after_a_reconnect(
    start_server: StartServer, open_client: OpenClient
) -> None:
    """Once everything replayed is confirmed, the client's back-off starts afresh."""
    server = start_server()
    user = open_client("browser", server)
    feed = user.subscribe("people:whoami")
    user.identify(server.token("ana"))
    feed.equals("ana")
    server.restart()
    user.call("mutation", "counters:increment", name="x")
    state = user.result(user.send("state"))
    assert (state["connected"], state["count"], state["retries"]) == (True, 2, 0)


def test_quirk_8_floats_are_written_as_floats(server: ServerProcess) -> None:
    """The Python HTTP client refuses JSON integers in encoded values."""
    body = {"path": "values:echo", "args": {"value": [3, {"a": 0}]}}
    _, text = server.post("/api/query", body | {"format": "convex_encoded_json"})
    assert re.sub(r"\s", "", text).startswith('{"status":"success","value":[3.0,{"a":0.0}]')


def test_quirk_8_python_http_client_reads_numbers(server: ServerProcess, name: str) -> None:
    """The PyPI package's HTTP client calls functions and reads what they return."""
    client = ConvexHttpClient(server.url)
    assert client.mutation("counters:increment", {"name": name}) == 1.0
    assert client.query("values:echo", {"value": [3, 2.5]}) == [3.0, 2.5]


@pytest.mark.parametrize(
    ("path", "data"), [("failures:broken", {}), ("failures:refused", {"data": 1})]
)
def test_quirk_9_function_failure_is_http_200(path: str, data: Any, server: ServerProcess) -> None:
    """A function that fails is no transport failure: 200 with status error."""
    status, text = server.post("/api/mutation", {"path": path, "args": data})
    assert (status, '"status":"error"' in re.sub(r"\s", "", text)) == (200, True)


def test_quirk_10_browser_origin_is_let_in(server: ServerProcess, open_raw: OpenRaw) -> None:
    """A page on a local development server may connect."""
    client = open_raw(server, origin="http://localhost:5173")
    assert client.add(0, "counters:read", name="nobody")["value"] == 0


def test_unchanged_result_is_not_sent(raw: RawClient, name: str) -> None:
    """A re-run that gives the same result sends no modification, but the timestamp goes on."""
    raw.add(0, "tasks:list", assignee=name)
    raw.add(1, "counters:read", name=name)
    raw.reach(raw.mutate(0, "failures:brokenAfterWrite", name=name)["ts"] or raw.version["ts"])
    created = raw.mutate(1, "tasks:create", title="a", assignee=name)
    raw.reach(created["ts"])
    raw.reach(raw.mutate(2, "tasks:toggle", id=created["result"])["ts"])
    changed = [[c["queryId"] for c in t["modifications"]] for t in raw.transitions[2:]]
    assert [queries for queries in changed if queries] == [[0], [0]]


def test_one_transition_shows_all_queries_at_one_timestamp(raw: RawClient, name: str) -> None:
    """Two queries that one commit changes change in the same transition."""
    raw.add(0, "counters:read", name=name)
    raw.add(1, "counters:read", name=name)
    raw.reach(raw.mutate(0, "counters:increment", name=name)["ts"])
    assert [change["queryId"] for change in raw.transitions[-1]["modifications"]] == [0, 1]


def test_failed_mutation_leaves_nothing(raw: RawClient, name: str) -> None:
    """What a mutation wrote before it failed is gone."""
    assert not raw.mutate(0, "failures:brokenAfterWrite", name=name)["success"]
    assert raw.add(0, "counters:read", name=name)["value"] == 0


def test_removed_query_can_be_added_again(raw: RawClient, name: str) -> None:
    """A query id is free again once its removal is sent."""
    raw.add(0, "counters:read", name=name)
    raw.modify(removed(0))
    raw.until(lambda: raw.version["querySet"] == 2)
    assert raw.add(0, "counters:read", name=name)["value"] == 0


def test_mutations_of_one_client_run_in_order(raw: RawClient, name: str) -> None:
    """Forty increments sent at once are answered 1 to 40, in order."""
    for number in range(40):
        raw.request("Mutation", number, "counters:increment", name=name)
    answers = [raw.receive("MutationResponse") for _ in range(40)]
    assert [answer["result"] for answer in answers] == list(range(1, 41))
    assert [answer["requestId"] for answer in answers] == list(range(40))


def test_pages_follow_writes_without_gaps(raw: RawClient, name: str) -> None:
    """A page keeps its end when re-run with its journal: an insert inside makes it longer."""
    for number in range(4):
        raw.mutate(number, "tasks:create", title=str(number), assignee=name)
    first = {"numItems": 2, "cursor": None}
    page = raw.add(0, "tasks:page", assignee=name, paginationOpts=first)
    assert [task["title"] for task in page["value"]["page"]] == ["0", "1"]
    assert page["journal"] is not None
    following = {"numItems": 9, "cursor": page["value"]["continueCursor"]}
    rest = raw.add(1, "tasks:page", assignee=name, paginationOpts=following)
    assert [task["title"] for task in rest["value"]["page"]] == ["2", "3"]
    raw.reach(raw.mutate(4, "tasks:create", title="4", assignee=name)["ts"])
    assert len(raw.value(0)["page"]) == 2
    assert [task["title"] for task in raw.value(1)["page"]] == ["2", "3", "4"]


def test_authentication_confirms_with_a_higher_identity_version(
    server: ServerProcess, raw: RawClient
) -> None:
    """Signing in is confirmed by a transition, and re-runs what asked who is there."""
    raw.add(0, "people:whoami")
    raw.identify(server.token("ana"))
    raw.until(lambda: raw.version["identity"] == 1)
    assert raw.value(0) == "ana"


def test_bad_token_is_an_auth_error(raw: RawClient) -> None:
    """A token nobody signed: AuthError with the identity version still held, then the close."""
    raw.identify("not.a.token")
    messages, _, _ = raw.closing_words()
    assert messages[-1]["type"] == "AuthError"
    assert (messages[-1]["authUpdateAttempted"], messages[-1]["baseVersion"]) == (True, 0)


def test_action_does_not_hold_up_mutations(raw: RawClient, name: str) -> None:
    """An action's answer has no ts, and its mutations show in subscriptions."""
    raw.add(0, "counters:read", name=name)
    answer = raw.act(0, "people:countTwice", name=name)
    assert (answer["success"], answer["result"]) == (True, 2)
    assert "ts" not in answer
    raw.until(lambda: raw.value(0) == 2)


def test_timestamps_are_nanoseconds_now(raw: RawClient, name: str) -> None:
    """A timestamp is a 64-bit count of nanoseconds, close to the creation time it gives."""
    answer = raw.mutate(0, "tasks:create", title="now", assignee=name)
    task = raw.add(0, "tasks:list", assignee=name)["value"][0]
    assert abs(read_ts(answer["ts"]) / 1e6 - task["_creationTime"]) < 60_000


def test_event_messages_are_ignored(raw: RawClient) -> None:
    """Telemetry of the official client disturbs nothing."""
    raw.send("Event", eventType="ClientConnect", event=[{"name": "x", "startTime": 1}])
    assert raw.add(0, "counters:read", name="nobody")["value"] == 0
