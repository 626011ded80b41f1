"""The official clients, each in a process of its own, driven by lines of JSON."""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.server_process import DEADLINE_S, wait_for

CLIENTS = Path(__file__).parents[1] / "clients"
NPM_DRIVERS = {
    "browser": "browser_client.mjs",
    "http": "http_client.mjs",
    "next": "next_client.mjs",
    "react": "react_client.mjs",
}
Event = dict[str, Any]


class CallFailed(Exception):
    """What the client raised: its class name, its message and, for a ConvexError, its data."""

    def __init__(self, error: Event) -> None:
        super().__init__(f"{error['name']}: {error['message']}")
        self.message: str = error["message"]
        self.has_data = "data" in error
        self.data = error.get("data")


def driver_command(name: str) -> list[str]:
    """How to start a client's driver; skips where Node is not installed, but never on CI."""
    if name == "python":
        return [sys.executable, str(CLIENTS / "python_client.py")]
    node = shutil.which("node")
    if node is None or not (CLIENTS / "node_modules" / "convex").is_dir():
        reason = "needs node, and `npm ci` in tests/clients"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return [node, str(CLIENTS / NPM_DRIVERS[name])]


@dataclass
class Feed:
    """One subscription, as its client sees it."""

    client: "OfficialClient"
    id: int
    updates: list[Any] = field(default_factory=list)
    failures: list[CallFailed] = field(default_factory=list)

    def sees(self, expected: Callable[[Any], bool], what: str = "an update") -> Any:
        """Wait until the newest update is as expected; gives it."""

        def newest() -> list[Any]:
            self.client.healthy()
            return [value for value in self.updates[-1:] if expected(value)]

        try:
            return wait_for(newest, what)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}; seen: {self.updates[-5:]} {self.failures}") from None

    def equals(self, value: Any) -> None:
        """Wait until the newest update is this value."""
        self.sees(lambda seen: bool(seen == value), f"the value {value!r}")

    def fails(self) -> CallFailed:
        """Wait until the query fails; gives how."""
        return wait_for(lambda: self.failures[-1:], "the query fails")[0]


class OfficialClient:
    """One client: commands go in at once, results are awaited by whoever wants them."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.feeds: dict[int, Feed] = {}
        self.results: dict[int, queue.Queue[Event]] = {}
        self.logs: list[str] = []
        self.crashes: list[Event] = []
        self.signed_in: list[bool] = []
        self.tokens = 0
        self.process = subprocess.Popen(
            [*driver_command(name), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CLIENTS,
        )
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        wait_for(self.started, f"the {name} client's driver starts")

    def read(self) -> None:
        """Take in what the driver reports, until it ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            getattr(self, f"on_{event['event']}", lambda _: None)(event)

    def on_ready(self, _: Event) -> None:
        """The driver takes commands."""
        self.ready.set()

    def on_update(self, event: Event) -> None:
        """A query has a new result."""
        self.feeds[event["id"]].updates.append(event["value"])

    def on_failed(self, event: Event) -> None:
        """A query failed."""
        self.feeds[event["id"]].failures.append(CallFailed(event["error"]))

    def on_auth(self, event: Event) -> None:
        """The client knows whether the server took its token."""
        self.signed_in.append(event["authenticated"])

    def on_token(self, _: Event) -> None:
        """The client has fetched a token from its provider."""
        self.tokens += 1

    def on_log(self, event: Event) -> None:
        """The client would have printed this."""
        self.logs.append(event["text"])

    def on_crash(self, event: Event) -> None:
        """An error nobody caught: the client is wedged or ended for good."""
        self.crashes.append(event["error"])

    def on_result(self, event: Event) -> None:
        """A command is done."""
        self.results[event["id"]].put(event)

    def started(self) -> bool:
        """Whether the driver takes commands; fails if it ended instead."""
        assert self.process.poll() is None, f"the {self.name} client's driver ended"
        return self.ready.is_set()

    def is_well(self) -> bool:
        """Whether it can go on: it runs, and met nothing that it could not handle."""
        return self.process.poll() is None and self.crashes == []

    def healthy(self) -> None:
        """The client met nothing that it could not handle."""
        assert self.crashes == []

    def send(self, do: str, **fields: Any) -> int:
        """Start a command; gives its number."""
        number = len(self.results)
        self.results[number] = queue.Queue()
        line = json.dumps({"id": number, "do": do, **fields})
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return number

    def result(self, number: int, seconds: float = DEADLINE_S) -> Any:
        """Wait for a command's result; raises CallFailed if the client did."""
        try:
            event = self.results[number].get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"no answer within {seconds} s; {self.logs[-5:]}") from None
        self.healthy()
        if not event["ok"]:
            raise CallFailed(event["error"])
        return event["value"]

    def call(self, do: str, path: str, **args: Any) -> Any:
        """Run a function and wait for its value."""
        return self.result(self.send(do, path=path, args=args))

    def subscribe(self, path: str, **args: Any) -> Feed:
        """Subscribe to a query."""
        feed = Feed(self, len(self.results))
        self.feeds[feed.id] = feed
        self.send("subscribe", path=path, args=args)
        return feed

    def paginate(self, path: str, initial: int, **args: Any) -> Feed:
        """Subscribe to a query's pages, with so many items in the first; the browser client can."""
        feed = Feed(self, len(self.results))
        self.feeds[feed.id] = feed
        self.send("paginate", path=path, args=args, initialNumItems=initial)
        return feed

    def load_more(self, feed: Feed, items: int) -> None:
        """Load another page."""
        self.result(self.send("loadMore", subscription=feed.id, numItems=items))

    def guarded_page(self, path: str, url: str) -> Feed:
        """Show a query to whoever signed in with tokens from an address (react only)."""
        feed = Feed(self, len(self.results))
        self.feeds[feed.id] = feed
        self.result(self.send("guardedPage", path=path, args={}, url=url))
        return feed

    def unsubscribe(self, feed: Feed) -> None:
        """End a subscription."""
        self.result(self.send("unsubscribe", subscription=feed.id))

    def identify(self, token: str) -> None:
        """Act as the person the token names."""
        self.result(self.send("identify", token=token))

    def end(self) -> None:
        """End the driver."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
