"""The log drain, against a collector that fails, hangs and recovers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from headwater.log_drain import Drain, LogDrain, drain_from_environment
from headwater.records import Records, ServerMessages
from headwater.redaction import Redactor
from headwater.settings import Limits
from tests.headwater.test_records import add


class Collector:
    """A collector on this machine.

    `answers` is what it says to the next requests, 200 when none is left: a status, or an event
    that it waits for.
    """

    def __init__(self) -> None:
        self.answers: list[int | threading.Event] = []
        self.batches: list[list[dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.tries = 0
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.tries += 1
                lines = self.rfile.read(int(self.headers["Content-Length"])).splitlines()
                answer = collector.answers.pop(0) if collector.answers else 200
                if isinstance(answer, threading.Event):
                    answer.wait(20)
                    return
                if answer == 200:
                    collector.batches.append([json.loads(line) for line in lines])
                    collector.headers.append({k.lower(): v for k, v in self.headers.items()})
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/ingest?key=hidden"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def functions(self) -> list[str]:
        """The functions of all calls it was told of."""
        return [line["function"] for batch in self.batches for line in batch if "function" in line]

    def dropped(self) -> int:
        """How many records it was told are lost."""
        return sum(line.get("dropped", 0) for batch in self.batches for line in batch)

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """One that listens."""
    made = Collector()
    yield made
    made.close()


@contextmanager
def draining(collector: Collector, **limits: Any) -> Iterator[tuple[Records, LogDrain]]:
    """A drain to the collector, with pauses that a test can wait for."""
    bounds = Limits(**{"log_drain_pause_s": 0.05, **limits})
    records = Records(bounds)
    target = Drain(collector.url, {"X-Key": "k"}, gather_s=0.01, pause_s=0.01)
    drain = LogDrain(records, target, Redactor(lambda: frozenset({"sk_live_1"})), bounds)
    try:
        yield records, drain
    finally:
        drain.stop()


def until(look: Callable[[], Any]) -> None:
    """Looks again and again, for a while."""
    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.005)


def test_records_are_sent_in_batches(collector: Collector) -> None:
    """As JSON lines, each record once, with the header that was asked for and without secrets."""
    with draining(collector, log_batch=2) as (records, drain):
        add(records, "a", "b", "c", log_lines=["[LOG] 'sk_live_1'"])
        until(lambda: drain.sent == 3)
    assert collector.functions() == ["a", "b", "c"]
    assert max(len(batch) for batch in collector.batches) == 2
    assert collector.batches[0][0]["log_lines"] == ["[LOG] '[redacted]'"]
    assert collector.headers[0]["x-key"] == "k"
    assert collector.headers[0]["content-type"] == "application/x-ndjson"
    assert drain.dropped == 0


def test_a_collector_that_fails_and_recovers_gets_everything(collector: Collector) -> None:
    """The batch in hand is sent again until it is taken; the trouble is said once, and its end."""
    collector.answers = [503, 429, 500]
    with draining(collector) as (records, drain):
        import logging

        handler = ServerMessages(records)
        logging.getLogger("headwater").addHandler(handler)
        add(records, "a", "b")
        until(lambda: drain.sent >= 4)
        logging.getLogger("headwater").removeHandler(handler)
    assert collector.tries >= 4
    assert collector.functions() == ["a", "b"]
    said = [line["message"] for batch in collector.batches for line in batch if "message" in line]
    assert len(said) == 2
    assert "takes no records (it answered 503); it is tried again" in said[0]
    assert "takes records again; 0 were dropped" in said[1]
    assert not any("hidden" in text for text in said), "its address may hold a key"


def test_a_collector_that_hangs_costs_bounded_memory(collector: Collector) -> None:
    """The ring goes on without it; what it missed is counted, and said when it is back."""
    hang = threading.Event()
    collector.answers = [hang]
    limits = {"log_records": 10, "log_drain_timeout_s": 0.3}
    with draining(collector, **limits) as (records, drain):
        add(records, "first")
        until(lambda: collector.tries == 1)
        for number in range(100):
            add(records, str(number))
        hang.set()
        until(lambda: drain.sent == 11)
        assert drain.dropped == collector.dropped() == 90
    assert collector.functions() == ["first", *map(str, range(90, 100))]


def test_what_is_refused_for_good_is_dropped(collector: Collector) -> None:
    """A batch that will never be taken must not hold up the next one."""
    collector.answers = [400]
    with draining(collector, log_batch=1) as (records, drain):
        add(records, "bad", "good")
        until(lambda: drain.sent == 1)
        assert drain.dropped == collector.dropped() == 1
    assert collector.functions() == ["good"]


def test_the_end_sends_what_is_left(collector: Collector) -> None:
    """However short a time the drain has gathered."""
    records = Records(Limits())
    drain = LogDrain(records, Drain(collector.url, gather_s=60.0), Redactor(), Limits())
    add(records, "last")
    drain.stop()
    assert collector.functions() == ["last"]


def test_the_end_does_not_wait_for_a_dead_collector() -> None:
    """Nothing listens there: one try, and what is left is dropped."""
    records = Records(Limits())
    drain = LogDrain(records, Drain("http://127.0.0.1:1/", pause_s=60.0), Redactor(), Limits())
    add(records, "last")
    drain.stop()
    assert (drain.sent, drain.dropped) == (0, 1)


def test_the_environment_names_the_drain() -> None:
    """Its address, and a token or a header."""
    address = {"HEADWATER_LOG_DRAIN_URL": "https://user:pw@logs.example/in?key=1"}
    assert drain_from_environment({}) is None
    drain = drain_from_environment(
        {**address, "HEADWATER_LOG_DRAIN_TOKEN": "t", "HEADWATER_LOG_DRAIN_HEADER": "X-Key: a:b"}
    )
    assert drain is not None
    assert (drain.headers, drain.host) == (
        {"Authorization": "Bearer t", "X-Key": "a:b"},
        "logs.example",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("URL", "logs.example"), ("URL", "ftp://x"), ("URL", "http://"), ("HEADER", "abc")],
)
def test_a_wrong_drain_is_told_at_the_start(name: str, value: str) -> None:
    """By its variable, and not by its value."""
    variables = {"HEADWATER_LOG_DRAIN_URL": "http://x", f"HEADWATER_LOG_DRAIN_{name}": value}
    with pytest.raises(ValueError, match=f"HEADWATER_LOG_DRAIN_{name} must be"):
        drain_from_environment(variables)
