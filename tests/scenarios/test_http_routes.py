"""HTTP routes on a real server: the site's own port, `/http/`, streams, and clients that leave."""

import http.client
import json
import socket
import threading
import urllib.request
from urllib.parse import quote

import pytest

from tests.scenarios.conftest import StartServer
from tests.scenarios.raw_client import RawClient
from tests.scenarios.server_process import ServerProcess, wait_for

SHOP = "https://shop.example"
MEGABYTE = 2**20


def count_of(server: ServerProcess, name: str) -> int:
    """How often something was counted."""
    value: int = server.call("query", "counters:read", name=name)
    return value


@pytest.fixture
def path_name(name: str) -> str:
    """The test's own name, in a path."""
    return quote(name)


def test_both_origins_serve_the_same_routes(
    server: ServerProcess, name: str, path_name: str
) -> None:
    """The site's port, and `/http/` of the API's."""
    assert server.fetch(f"/count/{path_name}", "POST", site=True) == (200, "1")
    assert server.fetch(f"/http/count/{path_name}", "POST") == (200, "2")
    assert count_of(server, name) == 2


def test_the_site_serves_nothing_else(server: ServerProcess) -> None:
    """No API, no pages."""
    for path in ("/version", "/api/query", "/", "/headwater.js"):
        status, text = server.fetch(path, site=True)
        assert (status, json.loads(text)["code"]) == (404, "NoHttpRoute")


def test_what_a_handler_prints_reaches_the_terminal(
    server: ServerProcess, name: str, path_name: str
) -> None:
    """With the request it belongs to."""
    server.fetch(f"/count/{path_name}", "POST", site=True)
    line = f"http POST /count/{name} [LOG] 'counting'"
    wait_for(lambda: line in server.said(), "the log line")


@pytest.mark.parametrize(
    ("header", "who", "asked"),
    [
        ("", (200, "null"), 200),
        ("Bearer {}", (200, '"ana"'), 200),
        ("Bearer x.y.z", (200, "null"), 500),
    ],
    ids=["none", "ana", "bad"],
)
def test_a_bad_authorization_raises_only_when_it_is_asked_for(
    server: ServerProcess, header: str, who: tuple[int, str], asked: int
) -> None:
    """Other software sends headers of its own to a webhook."""

    def fetch(path: str) -> tuple[int, str]:
        if not header:
            return server.fetch(path, site=True)
        token = header.format(server.token("ana"))
        return server.fetch(path, site=True, Authorization=token)

    assert fetch("/who") == who
    assert fetch("/asked")[0] == asked


def test_a_body_streams_both_ways(server: ServerProcess) -> None:
    """The first part comes back before the second is sent."""
    connection = http.client.HTTPConnection("127.0.0.1", server.site_port, timeout=20)
    connection.putrequest("POST", "/echo")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    connection.send(b"5\r\nfirst\r\n")
    answer = connection.response_class(connection.sock, method="POST")
    answer.begin()
    assert answer.read1(100) == b"first"
    connection.send(b"6\r\nsecond\r\n0\r\n\r\n")
    assert answer.read() == b"second"
    connection.close()


def test_a_response_of_any_length_within_the_limit(server: ServerProcess) -> None:
    """Twenty megabytes arrive whole."""
    with urllib.request.urlopen(f"{server.site_url}/megabytes?count=20", timeout=20) as answer:
        assert len(answer.read()) == 20 * MEGABYTE


def test_a_response_beyond_the_limit_does_not_look_whole(server: ServerProcess) -> None:
    """Its connection breaks, and the log says why."""
    with (
        urllib.request.urlopen(f"{server.site_url}/megabytes?count=21", timeout=20) as answer,
        pytest.raises(http.client.IncompleteRead),
    ):
        answer.read()
    wait_for(lambda: "the answer has 22020096 bytes or more" in server.said(), "the log says so")


def test_a_declared_body_beyond_the_limit_is_refused(server: ServerProcess) -> None:
    """Before anything of it is read."""
    connection = http.client.HTTPConnection("127.0.0.1", server.site_port, timeout=20)
    connection.putrequest("POST", "/size")
    connection.putheader("Content-Length", str(20 * MEGABYTE + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (413, "RequestTooLarge")
    connection.close()


@pytest.mark.parametrize(("parts", "status"), [(20, 200), (21, 413)])
def test_http_request_bytes_is_a_limit(server: ServerProcess, parts: int, status: int) -> None:
    """For a body that comes in parts, too: 20 MiB are read, more is refused."""
    connection = http.client.HTTPConnection("127.0.0.1", server.site_port, timeout=20)
    part = b"x" * MEGABYTE
    connection.request("POST", "/size", iter([part] * parts), encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, "20971520" in answer.read().decode()) == (status, True)
    connection.close()


def test_a_client_that_leaves_ends_its_handler(
    server: ServerProcess, name: str, path_name: str
) -> None:
    """What it waited for is cancelled, and its `finally` runs."""
    with socket.create_connection(("127.0.0.1", server.site_port)) as connection:
        connection.sendall(f"GET /wait/{path_name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_for(lambda: count_of(server, name) == 1, "the handler has begun")
    wait_for(lambda: count_of(server, name) == 2, "the handler was ended")


def test_a_handler_that_blocks_stops_no_socket(
    server: ServerProcess, raw: RawClient, name: str
) -> None:
    """Mutations, health checks and pushes go on; other actions wait."""
    blocked = threading.Thread(
        target=server.fetch, args=("/block?seconds=1.5",), kwargs={"site": True}
    )
    blocked.start()
    raw.add(0, "counters:read", name=name)
    done = 0
    while blocked.is_alive():
        assert server.fetch("/version")[0] == 200
        done += 1
        assert raw.mutate(done, "counters:increment", name=name)["success"]
    assert done > 3


def test_foreign_pages_follow_the_declared_cors(server: ServerProcess) -> None:
    """Webhooks have no origin and pass; the allowed page passes with its headers; others do not."""
    assert server.fetch("/who", site=True)[0] == 200
    assert server.fetch("/who", site=True, Origin="https://evil.example")[0] == 403
    for prefix in (server.site_url, f"{server.url}/http"):
        request = urllib.request.Request(f"{prefix}/who", headers={"Origin": SHOP})
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == SHOP
            assert answer.headers["Access-Control-Allow-Credentials"] == "true"


def test_a_preflight_is_answered_from_the_declaration(server: ServerProcess) -> None:
    """Methods and headers, for the page that is named."""
    asks = {
        "Origin": SHOP,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "x-a",
    }
    request = urllib.request.Request(f"{server.site_url}/who", headers=asks, method="OPTIONS")
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
        assert "x-a" in answer.headers["Access-Control-Allow-Headers"]


def test_another_host_is_refused(server: ServerProcess) -> None:
    """As on the API's port: a page may have its name point here."""
    status, text = server.fetch("/who", site=True, Host="evil.example")
    assert (status, json.loads(text)["code"]) == (403, "Forbidden")


def test_a_saved_routes_file_is_served(start_server: StartServer) -> None:
    """From the next request on; an error in it leaves the old one live, and is told."""
    server = start_server()
    file = server.project / "backend" / "routes.py"
    file.write_text(file.read_text().replace('"/who"', '"/whom"'))
    wait_for(lambda: server.fetch("/whom", site=True)[0] == 200, "the new route is served")
    file.write_text("from fastapi import APIRouter\n")
    wait_for(lambda: "defines no `router`" in server.said(), "the error is told")
    assert server.fetch("/whom", site=True)[0] == 200


def test_production_redacts_an_uncaught_error(start_server: StartServer) -> None:
    """The request id alone; the log has the rest."""
    server = start_server("serve")
    status, text = server.fetch("/broken", site=True)
    body = json.loads(text)
    assert (status, body.keys()) == (500, {"code"})
    request_id = body["code"].removeprefix("[Request ID: ").removesuffix("] Server Error")
    assert len(request_id) == 16
    wait_for(lambda: request_id in server.said(), "the log has the id")
    assert "the cable is out" in server.said()
