"""Records and figures over HTTP."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from headwater.admin_api import LOGS, METRICS
from headwater.server_logs import METRICS_TOKEN
from tests.headwater.served import Served


def call(served: Served, kind: str, path: str, **args: Any) -> Any:
    """Calls a function as a client does."""
    return served.post(f"/api/{kind}", {"path": path, "args": args})


def logs(served: Served, **query: Any) -> Any:
    """Asks for records as `headwater logs` does."""
    headers = {"Authorization": served.admin}
    answer = served.request("GET", LOGS, params=query, headers=headers)
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def functions(answer: Any) -> list[str]:
    """The functions of the records in an answer."""
    return [entry["function"] for entry in answer["entries"]]


def figures(served: Served, authorization: str | None = None) -> dict[tuple[str, ...], float]:
    """The figures by name and labels."""
    headers = {"Authorization": authorization or served.admin}
    text = served.request("GET", METRICS, headers=headers).text
    samples = (s for family in text_string_to_metric_families(text) for s in family.samples)
    return {(s.name, *s.labels.values()): s.value for s in samples}


def test_a_failure_is_logged_under_the_id_its_client_was_told(served: Served) -> None:
    """So that a report leads to its record."""
    told = call(served, "query", "tasks:who")["errorMessage"]
    (entry,) = logs(served)["entries"]
    assert told.startswith(f"[Request ID: {entry['request_id']}]")
    assert (entry["outcome"], entry["error_code"]) == ("error", "NotAuthenticated")


def test_a_call_is_logged_with_what_it_did(served: Served) -> None:
    """Its kind, duration, counts and lines."""
    call(served, "mutation", "tasks:add", title="a", copies=2)
    call(served, "query", "tasks:titles")
    add, titles = logs(served)["entries"]
    assert (add["kind"], add["documents_written"], add["outcome"]) == ("mutation", 2, "success")
    assert add["log_lines"] == ["[LOG] 'added' 'a'"]
    assert (titles["documents_read"], titles["documents_written"]) == (2, 0)
    assert min(titles["bytes_read"], add["bytes_written"]) > 0
    assert 0 < titles["duration_ms"] < 60_000


def test_records_are_read_on_from_a_cursor(served: Served) -> None:
    """The newest first; then what came since; another life of the server begins anew."""
    for _ in range(3):
        call(served, "query", "tasks:titles")
    first = logs(served, limit=2)
    assert len(first["entries"]) == 2
    call(served, "query", "tasks:who")
    place = {"cursor": first["newCursor"], "epoch": first["epoch"]}
    assert functions(logs(served, **place)) == ["tasks:who"]
    assert len(logs(served, cursor=1000, epoch="another")["entries"]) == 4


def test_only_failures_where_they_are_asked_for(served: Served) -> None:
    """The newest of them, however many calls went well since."""
    call(served, "query", "tasks:who")
    for _ in range(5):
        call(served, "query", "tasks:titles")
    failed = logs(served, limit=1, errors=1)
    assert functions(failed) == ["tasks:who"]
    place = {"cursor": 0, "epoch": failed["epoch"], "errors": 1}
    assert functions(logs(served, **place)) == ["tasks:who"]


def test_a_reader_waits_for_what_comes(served: Served) -> None:
    """A long poll ends with the first record; without one, when the server ends."""
    start = logs(served)
    place = {"cursor": start["newCursor"], "epoch": start["epoch"], "wait": 30}
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(logs(served, **place)))
    waiting.start()
    served.hub.recorder.records.add(0.0, "query", "a:b", 1.0, None, [], None, "")
    waiting.join(20)
    assert functions(answers[0]) == ["a:b"]
    served.logs.ending = True
    place["cursor"] = answers[0]["newCursor"]
    assert logs(served, **place)["entries"] == []


@pytest.mark.parametrize("query", [{"limit": "x"}, {"limit": -1}, {"wait": "soon"}])
def test_a_wrong_query_is_told(served: Served, query: dict[str, Any]) -> None:
    """By the name of what is wrong in it."""
    headers = {"Authorization": served.admin}
    refused = served.request("GET", LOGS, params=query, headers=headers)
    assert refused.status_code == 400
    assert f"`{next(iter(query))}` must be a whole number" in refused.json()["message"]


def test_secrets_do_not_leave_with_the_logs(served: Served) -> None:
    """The admin key neither, should a function print it."""
    call(served, "mutation", "tasks:add", title=served.auth.admin_key)
    assert logs(served)["entries"][0]["log_lines"] == ["[LOG] 'added' '[redacted]'"]


def test_calls_are_counted(served: Served) -> None:
    """By function, kind and outcome; with a histogram of durations and the documents they used."""
    call(served, "mutation", "tasks:add", title="a", copies=3)
    call(served, "query", "tasks:titles")
    call(served, "query", "tasks:who")
    found = figures(served)
    assert found["headwater_calls_total", "tasks:add", "mutation", "success"] == 1
    assert found["headwater_calls_total", "tasks:who", "query", "error"] == 1
    duration = "headwater_call_duration_seconds"
    assert found[f"{duration}_bucket", "tasks:titles", "query", "+Inf"] == 1
    assert found[f"{duration}_count", "tasks:titles", "query"] == 1
    assert found[f"{duration}_sum", "tasks:titles", "query"] > 0
    assert found["headwater_documents_written_total", "tasks:add", "mutation"] == 3
    assert found["headwater_documents_read_total", "tasks:titles", "query"] == 3
    assert found["headwater_commits_total",] == 1
    assert found["headwater_batch_works_total",] == found["headwater_batches_total",] == 3
    gauges = ("sessions", "subscriptions", "queue_depth", "actions_running")
    assert [found[f"headwater_{name}",] for name in gauges] == [0, 0, 0, 0]
    assert found["process_resident_memory_bytes",] > 0


def test_paths_that_clients_make_up_make_no_figures(served: Served) -> None:
    """However many there are, they are one."""
    before = len(figures(served))
    for number in range(20):
        call(served, "query", f"made:up{number}")
    found = figures(served)
    assert found["headwater_calls_total", "(none)", "query", "error"] == 20
    assert len(found) - before < 30, "a histogram and three counters"


def test_figures_open_to_a_token_of_their_own(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which opens nothing else; without it nobody gets in."""
    assert served.request("GET", METRICS).status_code == 403
    monkeypatch.setenv(METRICS_TOKEN, "scrape-me")
    headers = {"Authorization": "Bearer scrape-me"}
    assert served.request("GET", METRICS, headers=headers).status_code == 200
    assert served.request("GET", LOGS, headers=headers).status_code == 401
    wrong = {"Authorization": "Bearer scrape-me-not"}
    assert served.request("GET", METRICS, headers=wrong).status_code == 401
    monkeypatch.setenv(METRICS_TOKEN, "")
    assert served.request("GET", METRICS, headers={"Authorization": "Bearer "}).status_code == 401


def test_two_servers_count_for_themselves(served: Served, tmp_path: Path) -> None:
    """Each has a registry of its own."""
    other = Served(tmp_path / "other")
    call(other, "query", "tasks:titles")
    assert ("headwater_calls_total", "tasks:titles", "query", "success") not in figures(served)
    other.close()
