"""The stand-in for what actions call."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest

from headwater import ActionCtx, action
from headwater.fake_http import FakeHttp
from tests.headwater.core.things import backend_of


@pytest.fixture
def fake() -> Iterator[FakeHttp]:
    """One that has no replies yet."""
    with FakeHttp() as made:
        yield made


@action
async def sky(ctx: ActionCtx, address: str, city: str) -> str:
    """Asks the weather."""
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{address}/today", params={"city": city}, json={"days": 1})
    return f"{answer.status_code} {answer.json()['sky']}"


def test_an_action_calls_it_and_the_test_sees_what_came(fake: FakeHttp) -> None:
    """Method, path, query, headers and body."""
    fake.reply("POST", "/today", status=201, json={"sky": "grey"})
    backend = backend_of(sky)
    assert backend.action(sky, fake.url, "Oslo") == "201 grey"
    (request,) = fake.requests
    assert (request.method, request.path, request.query) == ("POST", "/today", {"city": "Oslo"})
    assert (request.json(), request.headers["content-type"]) == ({"days": 1}, "application/json")
    backend.close()


def get(fake: FakeHttp, path: str) -> httpx.Response:
    """One GET."""
    with httpx.Client(trust_env=False) as http:
        return http.get(fake.url + path)


def test_replies_are_given_in_turn_and_the_last_again(fake: FakeHttp) -> None:
    """A service that is busy first, then serves."""
    fake.reply("GET", "/a", status=429, headers={"Retry-After": "1"})
    fake.reply("GET", "/a", content="done")
    answers = [get(fake, "/a") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 200, 200]
    assert (answers[0].headers["retry-after"], answers[2].text) == ("1", "done")


def test_a_broken_connection(fake: FakeHttp) -> None:
    """As when the other side goes down in the middle."""
    fake.reply("GET", "/a", broken=True)
    with pytest.raises(httpx.TransportError):
        get(fake, "/a")
    assert len(fake.requests) == 1


def test_what_has_no_reply_is_404_and_says_so(fake: FakeHttp) -> None:
    """With the replies there are."""
    fake.reply("GET", "/a")
    answer = get(fake, "/b")
    assert answer.status_code == 404
    assert answer.json()["error"] == "no reply to GET /b was given; replies: ['GET /a']"


def test_a_body_in_chunks(fake: FakeHttp) -> None:
    """Streaming clients send it so."""
    fake.reply("PUT", "/a")
    with httpx.Client(trust_env=False) as http:
        http.put(fake.url + "/a", content=iter([b"one ", b"two"]))
    assert fake.requests[0].body == b"one two"


def test_what_was_said_and_came_is_forgotten(fake: FakeHttp) -> None:
    """To begin anew at the same address."""
    fake.reply("GET", "/a")
    get(fake, "/a")
    fake.reset()
    assert (get(fake, "/a").status_code, len(fake.requests)) == (404, 1)


@pytest.mark.parametrize(
    "head",
    ["Content-Length: -1", "Content-Length: x", "Transfer-Encoding: chunked\r\n\r\n-5",
     "Transfer-Encoding: chunked\r\n\r\nffffffffffff"],
)  # fmt: skip
def test_a_body_of_no_length_that_may_be_is_not_waited_for(
    head: str, fake: FakeHttp, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever sends it has its answer, or none, at once, and the server goes on."""
    fake.reply("POST", "/a", status=204)
    address = urlsplit(fake.url)
    with socket.create_connection((address.hostname or "", address.port or 0), 5) as raw:
        raw.sendall(f"POST /a HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
        raw.settimeout(5)
        assert raw.recv(100)[:12] in (b"HTTP/1.1 204", b"")
    assert get(fake, "/nothing").status_code == 404
    assert capsys.readouterr().err == ""


def test_no_more_of_a_body_is_read_than_it_may_have() -> None:
    """The rest is for nobody."""
    with FakeHttp(body_bytes=10) as small, httpx.Client(trust_env=False) as http:
        small.reply("POST", "/a")
        with suppress(httpx.TransportError):  # the rest of the body is not taken
            http.post(small.url + "/a", content=b"x" * 1000)
        assert [len(each.body) for each in small.requests] == [10]


def test_a_reply_that_makes_no_sense_is_refused(fake: FakeHttp) -> None:
    """With what it takes."""
    with pytest.raises(ValueError, match="takes a path such as"):
        fake.reply("GET", "today")
    with pytest.raises(ValueError, match="json= or content="):
        fake.reply("GET", "/today", json=1, content="1")
