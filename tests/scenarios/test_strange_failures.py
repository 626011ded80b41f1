"""Errors that cannot be told, and actions that end more than themselves: nobody else suffers."""

from collections.abc import Iterator

import pytest

from tests.scenarios.conftest import OpenRaw
from tests.scenarios.raw_client import RawClient
from tests.scenarios.server_process import ServerProcess


@pytest.fixture(autouse=True)
def same_process(server: ServerProcess) -> Iterator[None]:
    """Every test here ends with the server process it began with."""
    before = server.serving_pid()
    yield
    assert server.serving_pid() == before, server.said()[-2000:]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("unspeakable", "Unspeakable"),
        ("noUnicode", r"half of a pair: \ud800"),
        ("circular", "the data of AppError cannot be sent"),
    ],
)
def test_a_mutation_whose_error_cannot_be_told_fails(
    function: str, said: str, raw: RawClient
) -> None:
    """Its client hears what can be said, with the line of the handler where there is one."""
    answer = raw.mutate(0, f"failures:{function}")
    assert (answer["success"], said in answer["result"]) == (False, True), answer


@pytest.mark.parametrize(
    ("function", "said"),
    [("unspeakableQuery", "Unspeakable"), ("noUnicodeQuery", r"\ud800")],
)
def test_a_query_whose_error_cannot_be_told_fails(function: str, said: str, raw: RawClient) -> None:
    """The same for a subscription."""
    failed = raw.add(0, f"failures:{function}")
    assert (failed["type"], said in failed["errorMessage"]) == ("QueryFailed", True), failed


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("unspeakableAction", "Unspeakable"),
        ("exitingAction", "SystemExit"),
        ("cancelledAction", "CancelledError"),
    ],
)
def test_an_action_that_ends_strangely_is_answered(
    function: str, said: str, raw: RawClient, open_raw: OpenRaw, server: ServerProcess
) -> None:
    """It fails, and actions after it run as ever."""
    answer = raw.act(0, f"failures:{function}")
    assert (answer["success"], said in answer["result"]) == (False, True), answer
    assert open_raw(server).act(0, "hostile:patientAction")["result"] == "waited"


@pytest.mark.parametrize("function", ["exitingChild", "stoppingAction"])
def test_no_action_stops_the_loop_of_the_others(
    function: str, raw: RawClient, open_raw: OpenRaw, server: ServerProcess
) -> None:
    """An action that waits on the same loop ends as it would have."""
    other = open_raw(server)
    other.request("Action", 0, "hostile:patientAction")
    raw.request("Action", 0, f"failures:{function}")
    assert other.receive("ActionResponse")["result"] == "waited"
    assert other.act(1, "hostile:patientAction")["result"] == "waited"
