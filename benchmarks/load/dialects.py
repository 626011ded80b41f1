"""What differs between the two servers on the wire; everything else is shared.

A dialect belongs to one connection. It turns an operation into the text to send, and a message
from the server into an `Event`: how many states came, and which writes are acknowledged.
"""

import base64
import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

View = tuple[str, int]  # a board, and how many of its newest tasks


class Refused(Exception):
    """The server answered with an error."""


@dataclass(slots=True)
class Event:
    """What one message from the server says."""

    states: int = 0
    acknowledged: list[tuple[int, Any]] = field(default_factory=list)
    refused: tuple[int, str] | None = None  # the write, and why


class Dialect(Protocol):
    """One connection's way to speak."""

    path: str

    def hello(self) -> list[bytes]:
        """Return what is sent first."""

    def subscribe(self, views: list[View]) -> list[bytes]:
        """Return what follows some views."""

    def write(self, id: int, operation: str, args: dict[str, Any]) -> bytes:
        """Return what asks for a write."""

    def read(self, message: bytes) -> Event:
        """Say what a message means."""


class HandwrittenDialect:
    """The hand-written server's few messages."""

    path = "/ws"

    def hello(self) -> list[bytes]:
        """Nothing is said first."""
        return []

    def subscribe(self, views: list[View]) -> list[bytes]:
        """One message for each view."""
        return [
            orjson.dumps({"op": "subscribe", "board": board, "count": count})
            for board, count in views
        ]

    def write(self, id: int, operation: str, args: dict[str, Any]) -> bytes:
        """One message, named as the operation."""
        return orjson.dumps({"op": operation, "id": id, **args})

    def read(self, message: bytes) -> Event:
        """An acknowledgement or a state."""
        body = orjson.loads(message)
        if body["type"] == "ack":
            return Event(acknowledged=[(body["id"], body["value"])])
        return Event(states=1)


class HeadwaterDialect:
    """The Convex sync protocol, as the official clients speak it.

    As in those clients a write counts as done when a transition has reached its timestamp.
    """

    path = "/api/1.48.0/sync"
    paths = {"increment": "counters:increment"}

    def __init__(self) -> None:
        self.query_set = 0
        self.query_id = 0
        self.seen = 0
        self.waiting: list[tuple[int, int, Any]] = []  # timestamp, id, value

    def hello(self) -> list[bytes]:
        """Connect, with an empty query set."""
        connect = {
            "type": "Connect",
            "sessionId": str(uuid.uuid4()),
            "connectionCount": 0,
            "lastCloseReason": "InitialConnect",
            "clientTs": 0,
        }
        return [orjson.dumps(connect), self.modify([])]

    def subscribe(self, views: list[View]) -> list[bytes]:
        """One change of the query set for all of them."""
        added = []
        for board, count in views:
            args = [{"board": board, "count": count}]
            added.append(
                {"type": "Add", "queryId": self.query_id, "udfPath": "tasks:newest", "args": args}
            )
            self.query_id += 1
        return [self.modify(added)]

    def modify(self, modifications: list[dict[str, Any]]) -> bytes:
        """Step to the next version of the query set."""
        base, self.query_set = self.query_set, self.query_set + 1
        return orjson.dumps(
            {
                "type": "ModifyQuerySet",
                "baseVersion": base,
                "newVersion": self.query_set,
                "modifications": modifications,
            }
        )

    def write(self, id: int, operation: str, args: dict[str, Any]) -> bytes:
        """A Mutation message."""
        return orjson.dumps(
            {
                "type": "Mutation",
                "requestId": id,
                "udfPath": self.paths.get(operation, f"tasks:{operation}"),
                "args": [args],
            }
        )

    def read(self, message: bytes) -> Event:
        """A response waits for the transition that reaches it."""
        body = orjson.loads(message)
        match body["type"]:
            case "MutationResponse":
                if not body["success"]:
                    return Event(refused=(body["requestId"], body["result"]))
                self.waiting.append((timestamp(body["ts"]), body["requestId"], body["result"]))
                return self.event()
            case "Transition":
                self.seen = timestamp(body["endVersion"]["ts"])
                return self.event(count_states(body["modifications"]))
            case "Ping":
                return Event()
            case _:
                raise Refused(message.decode())

    def event(self, states: int = 0) -> Event:
        """Acknowledge every write that a transition has reached."""
        done = [(id, value) for ts, id, value in self.waiting if ts <= self.seen]
        if done:
            self.waiting = [write for write in self.waiting if write[0] > self.seen]
        return Event(states, done)


def timestamp(text: str) -> int:
    """Read a timestamp of the sync protocol."""
    return int.from_bytes(base64.b64decode(text), "little")


def count_states(modifications: list[dict[str, Any]]) -> int:
    """Count the new results of a transition; a failed query is an error here."""
    for modification in modifications:
        if modification["type"] == "QueryFailed":
            raise Refused(modification["errorMessage"])
    return len(modifications)


DIALECTS: dict[str, type[HandwrittenDialect | HeadwaterDialect]] = {
    "handwritten": HandwrittenDialect,
    "headwater": HeadwaterDialect,
}
