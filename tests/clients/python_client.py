"""Drives the PyPI `convex` client: `python python_client.py URL`.

It speaks the same lines as the npm drivers beside it: commands on stdin, what happened on stdout,
values in Convex's own encoding.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Any

from convex import ConvexClient, ConvexError, convex_to_json, json_to_convex

Command = dict[str, Any]
_output = threading.Lock()


def emit(**event: Any) -> None:
    """Write one event as a line."""
    with _output:
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

    def subscribe(self, command: Command) -> None:
        """Subscribe, and report each result from a thread of its own."""
        subscription = self.client.subscribe(command["path"], arguments(command))
        self.subscriptions[command["id"]] = subscription
        threading.Thread(target=follow, args=(command["id"], subscription), daemon=True).start()

    def unsubscribe(self, command: Command) -> None:
        """End a subscription."""
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


def follow(number: int, subscription: Any) -> None:
    """Report each result of a subscription until it ends."""
    while True:
        try:
            emit(event="update", id=number, value=convex_to_json(next(subscription)))
        except StopIteration:
            return
        except Exception as error:
            emit(event="failed", id=number, error=describe(error))
            if not isinstance(error, ConvexError):
                return


def answer(handler: Callable[[Command], Any], command: Command) -> None:
    """Run one command and report its result."""
    try:
        value = convex_to_json(handler(command))
    except Exception as error:
        emit(event="result", id=command["id"], ok=False, error=describe(error))
    else:
        emit(event="result", id=command["id"], ok=True, value=value)


def main() -> None:
    """Start every command in its own thread, so that calls overlap as the test wants them to."""
    driver = Driver(sys.argv[1])
    emit(event="ready")
    for line in sys.stdin:
        command = json.loads(line)
        handler = getattr(driver, command["do"])
        threading.Thread(target=answer, args=(handler, command), daemon=True).start()


if __name__ == "__main__":
    main()
