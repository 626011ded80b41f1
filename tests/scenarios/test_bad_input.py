"""What no honest client sends: each gets a clear error, and everybody else goes on."""

import contextlib
import json
import re
import socket
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.scenarios.conftest import OpenRaw, StartServer
from tests.scenarios.raw_client import RawClient, added, removed
from tests.scenarios.server_process import ServerProcess

TEN_MEGABYTES = 10_000_000


@pytest.fixture
def bystander(server: ServerProcess, open_raw: OpenRaw, name: str) -> Callable[[], None]:
    """Another client; calling it proves that it is still connected and served."""
    client = open_raw(server)
    client.add(0, "counters:read", name=f"{name} bystander")
    counts = iter(range(1, 100))

    def goes_on() -> None:
        count = next(counts)
        answer = client.mutate(count, "counters:increment", name=f"{name} bystander")
        client.reach(answer["ts"])
        assert client.value(0) == count

    return goes_on


MESSAGES: dict[str, tuple[Any, str]] = {
    "broken JSON": ('{"type": "Mutation", ', "json"),
    "not an object": ("[1, 2]", "object"),
    "unknown type": ('{"type": "Explode"}', "Explode"),
    "no type": ('{"requestId": 1}', "type"),
    "missing field": ('{"type": "Mutation", "requestId": 1}', "udfPath"),
    "wrong field type": (
        '{"type": "Mutation", "requestId": "x", "udfPath": "a:b", "args": [{}]}',
        "requestId",
    ),
    "negative request id": (
        '{"type": "Mutation", "requestId": -1, "udfPath": "a:b", "args": [{}]}',
        "requestId",
    ),
    "binary frame": (b"\x00\xff", ""),
    "deep nesting": ("[" * 100_000, ""),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_malformed_message_is_fatal_to_its_sender_only(
    case: str, raw: RawClient, bystander: Callable[[], None]
) -> None:
    """FatalError says what was wrong with the message; another client notices nothing."""
    message, expected = MESSAGES[case]
    raw.socket.send(message)
    assert expected.lower() in raw.fatal().lower()
    bystander()


def test_message_before_connect_is_fatal(
    server: ServerProcess, open_raw: OpenRaw, bystander: Callable[[], None]
) -> None:
    """Connect comes first."""
    client = open_raw(server, greet=False)
    client.request("Mutation", 0, "counters:increment", name="x")
    assert "Connect" in client.fatal()
    bystander()


def test_second_connect_is_fatal(raw: RawClient, bystander: Callable[[], None]) -> None:
    """Connect comes once."""
    raw.hello()
    assert "Connect" in raw.fatal()
    bystander()


def test_wrong_query_set_version_is_fatal(raw: RawClient, bystander: Callable[[], None]) -> None:
    """A base version the server does not hold is refused by its known name."""
    raw.query_set = 5
    raw.modify()
    assert "BaseVersionMismatch" in raw.fatal()
    bystander()


def test_wrong_identity_version_is_fatal(
    server: ServerProcess, raw: RawClient, bystander: Callable[[], None]
) -> None:
    """The same for Authenticate."""
    raw.identity = 5
    raw.identify(server.token("ana"))
    assert "BaseVersionMismatch" in raw.fatal()
    bystander()


def test_duplicate_query_id_is_an_error(raw: RawClient, bystander: Callable[[], None]) -> None:
    """A query id in use cannot be added again."""
    raw.modify(added(3, "counters:read", name="x"), added(3, "counters:read", name="y"))
    assert "3" in raw.fatal()
    bystander()


def test_unknown_query_id_is_an_error(raw: RawClient, bystander: Callable[[], None]) -> None:
    """A query that was never added cannot be removed."""
    raw.modify(removed(4))
    assert "4" in raw.fatal()
    bystander()


def test_ten_megabytes_of_json_on_the_socket(
    raw: RawClient, bystander: Callable[[], None], name: str
) -> None:
    """Ten megabytes for one document: the error names size and limit, the socket stays open."""
    answer = raw.mutate(0, "values:keep", name=name, value="x" * TEN_MEGABYTES)
    assert not answer["success"]
    assert re.search(r"1 MiB|1,?048,?576", answer["result"]), answer["result"][:300]
    assert raw.mutate(1, "counters:increment", name=name)["result"] == 1
    bystander()


@pytest.mark.parametrize("kind", ["Mutation", "Action"])
def test_request_beyond_the_limit_is_answered(
    kind: str, raw: RawClient, bystander: Callable[[], None], name: str
) -> None:
    """Thirty megabytes: it fails, lest its client sends it again for ever; the socket stays."""
    raw.request(kind, 0, "values:keep", name=name, value="x" * 3 * TEN_MEGABYTES)
    answer = raw.receive(f"{kind}Response")
    assert re.search(r"the message has 3000\d{4} bytes, the limit is 20971520", answer["result"])
    assert not answer["success"]
    assert raw.mutate(1, "counters:increment", name=name)["result"] == 1
    bystander()


def test_any_other_message_beyond_the_limit_is_fatal(
    raw: RawClient, bystander: Callable[[], None]
) -> None:
    """Nobody waits for its answer by a number."""
    raw.modify(added(0, "counters:read", name="x" * 3 * TEN_MEGABYTES))
    assert "is too large; send less at once" in raw.fatal()
    bystander()


def test_frame_bytes_is_a_limit(start_server: StartServer, open_raw: OpenRaw) -> None:
    """What is larger yet is not read; the session that would send it again is ended for good."""
    server = start_server(message_bytes="10000", frame_bytes="20000")
    raw = open_raw(server)
    raw.add(0, "counters:read", name="n")
    assert "the message has" in raw.mutate(0, "values:keep", name="n", value="x" * 15_000)["result"]
    with contextlib.suppress(ConnectionClosed):
        raw.request("Mutation", 1, "values:keep", name="n", value="x" * 25_000)
    assert raw.closing_words()[1] in (1006, 1009)
    again = open_raw(server, greet=False)
    again.session_id = raw.session_id
    assert "a message was larger than 20000 bytes" in again.hello(connectionCount=1).fatal()
    assert open_raw(server).mutate(0, "counters:increment", name="n")["result"] == 1


def test_ten_megabytes_of_json_over_http(
    server: ServerProcess, bystander: Callable[[], None]
) -> None:
    """The same over HTTP: a status or an error that says so."""
    body = {"path": "values:keep", "args": {"name": "big", "value": "x" * TEN_MEGABYTES}}
    status, text = server.post("/api/mutation", body)
    assert status == 413 or json.loads(text).get("status") == "error", (status, text[:200])
    bystander()


def test_a_hundred_megabytes_over_http(
    server: ServerProcess, bystander: Callable[[], None]
) -> None:
    """413, said before the body has come; who goes on sending is cut off."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("POST", "/api/mutation")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(10 * TEN_MEGABYTES))
    connection.endheaders()
    with contextlib.suppress(OSError):
        for _ in range(10):
            connection.send(b"x" * TEN_MEGABYTES)
    with contextlib.suppress(OSError):
        assert connection.getresponse().status == 413
    connection.close()
    bystander()


def test_foreign_origin_is_refused_on_the_socket(
    server: ServerProcess, open_raw: OpenRaw, bystander: Callable[[], None]
) -> None:
    """A page from elsewhere cannot open the socket: 403 before any message."""
    with pytest.raises(InvalidStatus) as refused:
        open_raw(server, origin="https://evil.example")
    assert refused.value.response.status_code == 403
    bystander()


def test_foreign_origin_is_refused_over_http(server: ServerProcess) -> None:
    """A page from elsewhere can neither read nor write, simple requests included."""
    body = {"path": "counters:increment", "args": {"name": "evil"}}
    status, text = server.post("/api/mutation", body, Origin="https://evil.example")
    assert (status, "Origin" in text) == (403, True), text
    assert server.call("query", "counters:read", name="evil") == 0


@pytest.mark.parametrize("path", ["/version", "/api/query", "/"])
def test_foreign_host_is_refused(path: str, server: ServerProcess) -> None:
    """A name that is not this server's is DNS rebinding: refused, with the name in the answer."""
    status, text = server.fetch(path, Host="evil.example")
    assert status in (400, 403, 421), text
    assert "Host" in text


def test_foreign_host_is_refused_on_the_socket(
    server: ServerProcess, open_raw: OpenRaw, bystander: Callable[[], None]
) -> None:
    """The same for the upgrade."""
    with pytest.raises(InvalidStatus) as refused:
        open_raw(server, additional_headers={"Host": "evil.example"})
    assert refused.value.response.status_code in (400, 403, 421)
    bystander()


def test_bare_tcp_garbage_disturbs_nobody(
    server: ServerProcess, bystander: Callable[[], None]
) -> None:
    """Bytes that are no HTTP at all."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"\x16\x03\x01" + bytes(500))
    bystander()
