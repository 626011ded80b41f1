"""A stand-in for the outside world on the loopback address: what actions call, a test answers.

def test_weather(backend, fake_http):
    fake_http.reply("GET", "/today", json={"sky": "grey"})
    backend.set_env(WEATHER_URL=fake_http.url)
    assert backend.action(fetch_weather, city="Oslo") == "grey"
    assert fake_http.requests[0].query == {"city": "Oslo"}
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import orjson

from headwater.stand_in import StandIn, StandInHandler

_BODY_BYTES: Final = 64 * 2**20
_KEPT_BYTES: Final = 256 * 2**20
_KEPT_ALONE: Final = 10_000  # a request without its body, generously
_LINE_BYTES: Final = 1000


@dataclass(frozen=True)
class ReceivedRequest:
    """A request that came.

    Attributes:
        path: without the query.
        query: its parameters; the last of a name counts.
        headers: by their names in lower case.
        body: as it came.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed.

        Raises:
            ValueError: it is no JSON.
        """
        return orjson.loads(self.body)


@dataclass(frozen=True)
class _Reply:
    status: int
    content: bytes
    headers: dict[str, str]
    broken: bool


@dataclass
class _Route:
    """The replies of one method and path; the last one is given again and again."""

    replies: deque[_Reply] = field(default_factory=deque)

    def next(self) -> _Reply:
        return self.replies.popleft() if len(self.replies) > 1 else self.replies[0]


class FakeHttp(StandIn):
    """A server that says what a test told it to, from a thread of its own.

    Args:
        body_bytes: what a request's body may have; more is not read.

    Attributes:
        url: its address, such as `http://127.0.0.1:40123`.
        requests: what came, oldest first; also what had no reply.
    """

    def __init__(self, *, body_bytes: int = _BODY_BYTES) -> None:
        self.body_bytes = body_bytes
        self.requests: list[ReceivedRequest] = []
        self._routes: dict[tuple[str, str], _Route] = {}
        self._lock = threading.Lock()
        super().__init__("fake http", partial(_Handler, self))

    def reply(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        json: Any = None,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        broken: bool = False,
    ) -> None:
        """Says what a request is answered with. Several replies to one method and path are given
        in turn, the last one again and again.

        Args:
            method: such as `POST`.
            path: such as `/v1/mails`, without a query.
            status: of the answer.
            json: the body, as JSON.
            content: the body as it is, in place of `json`.
            headers: further ones.
            broken: the connection ends without an answer.

        Raises:
            ValueError: both `json` and `content`, or a path that does not begin with `/`.
        """
        if not path.startswith("/") or (json is not None and content is not None):
            raise ValueError("reply() takes a path such as '/v1/mails', and json= or content=")
        body = content.encode() if isinstance(content, str) else content
        kind = {"content-type": "application/json"} if body is None else {}
        made = _Reply(
            status,
            orjson.dumps(json) if body is None else body,
            kind | {name.lower(): value for name, value in (headers or {}).items()},
            broken,
        )
        with self._lock:
            self._routes.setdefault((method.upper(), path), _Route()).replies.append(made)

    def reset(self) -> None:
        """Forgets what came and what it was told to answer."""
        with self._lock:
            self.requests.clear()
            self._routes.clear()

    def answer(self, request: ReceivedRequest) -> _Reply:
        """What a request is answered with; it is noted, unless too much is noted already."""
        with self._lock:
            if sum(_KEPT_ALONE + len(each.body) for each in self.requests) > _KEPT_BYTES:
                return _Reply(503, b"", {}, broken=False)
            self.requests.append(request)
            route = self._routes.get((request.method, request.path))
            if route is not None:
                return route.next()
            known = [" ".join(key) for key in self._routes]
        text = f"no reply to {request.method} {request.path} was given; replies: {known}"
        return _Reply(404, orjson.dumps({"error": text}), {}, broken=False)


class _Handler(StandInHandler):
    """One request; the connection ends with its answer."""

    def __init__(self, fake: FakeHttp, *words: Any) -> None:
        self._fake = fake
        super().__init__(*words)

    def _serve(self) -> None:
        length = min(self.content_length(), self._fake.body_bytes)
        address = urlsplit(self.path)
        request = ReceivedRequest(
            self.command,
            address.path,
            dict(parse_qsl(address.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self._chunked() if "chunked" in self._coding() else self.rfile.read(length),
        )
        reply = self._fake.answer(request)
        self.close_connection = True
        if reply.broken:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(reply.status)
        sized = {"content-length": str(len(reply.content)), "connection": "close"}
        for name, value in (reply.headers | sized).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _coding(self) -> str:
        return (self.headers.get("transfer-encoding") or "").lower()

    def _chunked(self) -> bytes:
        """A body in chunks, as streaming clients send it."""
        parts = bytearray()
        while size := int(self.rfile.readline(_LINE_BYTES).partition(b";")[0], 16):
            if not 0 < size <= self._fake.body_bytes - len(parts):
                raise ValueError("a chunk of no size that may be")
            parts += self.rfile.read(size)
            self.rfile.readline(_LINE_BYTES)
        self.rfile.readline(_LINE_BYTES)
        return bytes(parts)
