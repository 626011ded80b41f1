"""Conflict and Overloaded, raised by a function: what clients see of a busy engine."""

import json

import pytest

from tests.scenarios.conftest import Clients
from tests.scenarios.official_clients import CallFailed
from tests.scenarios.raw_client import RawClient
from tests.scenarios.server_process import ServerProcess

CODES = [(True, "OptimisticConcurrencyControlFailure"), (False, "TooManyWrites")]
CLOSES = [(True, "OptimisticConcurrencyControlFailure"), (False, "CommitterFullError")]
RETRIED = 4


def test_the_engine_retries_a_few_times_itself(raw: RawClient, name: str) -> None:
    """Nobody hears of four conflicts."""
    answer = raw.mutate(0, "faults:busy", name=name, runs=RETRIED, conflict=True)
    assert (answer["success"], answer["result"]) == (True, RETRIED + 1)


@pytest.mark.parametrize(("conflict", "reason"), CLOSES)
def test_more_closes_the_socket(raw: RawClient, conflict: bool, reason: str, name: str) -> None:
    """With 1013 and a reason clients know, so that they send the mutation again."""
    raw.request("Mutation", 0, "faults:busy", name=name, runs=RETRIED + 1, conflict=conflict)
    assert raw.closing_words() == ([], 1013, reason)


@pytest.mark.parametrize("client", ["browser", "python"])
def test_an_official_client_sends_it_again_until_it_succeeds(
    client: str, clients: Clients, name: str
) -> None:
    """Its caller sees one result, after two connections."""
    args = {"name": name, "runs": RETRIED + 2, "conflict": True}
    assert clients(client).call("mutation", "faults:busy", **args) == RETRIED + 3


@pytest.mark.parametrize(("conflict", "code"), CODES)
def test_the_http_client_is_told_503_with_a_code(
    clients: Clients, conflict: bool, code: str, name: str
) -> None:
    """Its error's text is JSON, as people who retry parse it."""
    args = {"name": name, "runs": RETRIED + 1, "conflict": conflict}
    with pytest.raises(CallFailed) as refused:
        clients("http").call("mutation", "faults:busy", **args)
    assert json.loads(refused.value.message)["code"] == code


def test_a_query_that_meets_it_is_503_too(server: ServerProcess) -> None:
    """The status is for proxies, the code for programs."""
    status, text = server.post("/api/query", {"path": "faults:overloaded", "args": {}})
    assert (status, json.loads(text)["code"]) == (503, "TooManyWrites")


@pytest.mark.parametrize(("runs", "told"), [(1, "ran 2 times"), (RETRIED + 1, "conflict")])
def test_an_action_meets_it_as_such(raw: RawClient, runs: int, told: str, name: str) -> None:
    """And may try again itself."""
    assert raw.act(0, "faults:throughAnAction", name=name, runs=runs)["result"] == told
