"""Drives the PyPI `convex` client: `python python_client.py URL`.

It speaks the same lines as the npm drivers beside it: commands on stdin, what happened on stdout,
values in Convex's own encoding. The client's calls block and keep the interpreter lock, so they run
one after another; only its asynchronous iteration lets anything else run beside a subscription.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from convex import ConvexClient, ConvexError, convex_to_json, json_to_convex

Command = dict[str, Any]
LINE_BYTES = 2**25


def emit(**event: Any) -> None:
    """Write one event as a line."""
    print(json.dumps(event), flush=True)


def describe(error: Exception) -> dict[str, Any]:
    """An exception as the test sees it; `data` only where the client gave a ConvexError."""
    described: dict[str, Any] = {"name": type(error).__name__, "message": str(error)}
    if isinstance(error, ConvexError):
        described["data"] = convex_to_json(error.data)
    return described


class Driver:
    """Answers commands with one client."""

    def __init__(self, url: str) -> None:
        self.client = ConvexClient(url)
        self.subscriptions: dict[int, Any] = {}
        self.followers: dict[int, asyncio.Task[None]] = {}

    def subscribe(self, command: Command) -> None:
        """Subscribe, and report each result as it comes."""
        number = command["id"]
        subscription = self.client.subscribe(command["path"], arguments(command))
        self.subscriptions[number] = subscription
        self.followers[number] = asyncio.create_task(follow(number, subscription))

    def unsubscribe(self, command: Command) -> None:
        """End a subscription."""
        self.followers[command["subscription"]].cancel()
        self.subscriptions[command["subscription"]].unsubscribe()

    def identify(self, command: Command) -> None:
        """Identify with a token."""
        self.client.set_auth(command["token"])

    def query(self, command: Command) -> Any:
        """Run a query once."""
        return self.client.query(command["path"], arguments(command))

    def mutation(self, command: Command) -> Any:
        """Run a mutation."""
        return self.client.mutation(command["path"], arguments(command))

    def action(self, command: Command) -> Any:
        """Run an action."""
        return self.client.action(command["path"], arguments(command))


def arguments(command: Command) -> Any:
    """The command's arguments as the client's own values."""
    return json_to_convex(as_floats(command.get("args") or {}))


def as_floats(value: Any) -> Any:
    """JSON numbers as floats: a test writes 1 where a JavaScript client has only one number."""
    if isinstance(value, dict):
        return {key: as_floats(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_floats(inner) for inner in value]
    return float(value) if type(value) is int else value


async def follow(number: int, subscription: Any) -> None:
    """Report each result of a subscription until it ends."""
    while True:
        try:
            value = await anext(subscription)
        except StopAsyncIteration:
            return
        except Exception as error:
            emit(event="failed", id=number, error=describe(error))
        else:
            emit(event="update", id=number, value=convex_to_json(value))


def answer(handler: Callable[[Command], Any], command: Command) -> None:
    """Run one command and report its result."""
    try:
        value = convex_to_json(handler(command))
    except Exception as error:
        emit(event="result", id=command["id"], ok=False, error=describe(error))
    else:
        emit(event="result", id=command["id"], ok=True, value=value)


async def main() -> None:
    """Answer the commands on stdin until it ends."""
    driver = Driver(sys.argv[1])
    lines = asyncio.StreamReader(limit=LINE_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    emit(event="ready")
    while line := await lines.readline():
        command = json.loads(line)
        answer(getattr(driver, command["do"]), command)


if __name__ == "__main__":
    asyncio.run(main())
