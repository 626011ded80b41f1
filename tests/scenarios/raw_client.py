"""The sync protocol by hand: sends exact messages, and checks every answer's version."""

import base64
import json
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

Message = dict[str, Any]
ZERO_TS = base64.b64encode(bytes(8)).decode()
ZERO_VERSION = {"querySet": 0, "identity": 0, "ts": ZERO_TS}
WAIT_S = 10.0
PLAIN: dict[str, Any] = {"max_size": None, "compression": None, "proxy": None}


def read_ts(encoded: str) -> int:
    """A timestamp: eight bytes, least significant first, in base64."""
    return int.from_bytes(base64.b64decode(encoded), "little")


def write_ts(number: int) -> str:
    """The reverse of read_ts."""
    return base64.b64encode(number.to_bytes(8, "little")).decode()


class RawClient:
    """One socket. Keeps what an official client would keep, and refuses what one would refuse."""

    def __init__(self, url: str, path: str = "/api/1.48.0/sync", **options: Any) -> None:
        address = url.replace("http://", "ws://") + path
        self.open = ExitStack()
        self.socket: ClientConnection = self.open.enter_context(
            connect(address, close_timeout=1, **PLAIN | options)
        )
        self.session_id = str(uuid.uuid4())
        self.version: Message = ZERO_VERSION
        self.query_set = 0
        self.identity = 0
        self.results: dict[int, Message] = {}
        self.transitions: list[Message] = []

    def send(self, type: str, **fields: Any) -> None:
        """Send one message."""
        self.socket.send(json.dumps({"type": type, **fields}))

    def hello(self, **changes: Any) -> "RawClient":
        """Send Connect."""
        fields = {
            "sessionId": self.session_id,
            "connectionCount": 0,
            "lastCloseReason": "InitialConnect",
            "clientTs": 0,
        }
        self.send("Connect", **fields | changes)
        return self

    def modify(self, *modifications: Message) -> None:
        """Send ModifyQuerySet with the next version."""
        self.send(
            "ModifyQuerySet",
            baseVersion=self.query_set,
            newVersion=self.query_set + 1,
            modifications=modifications,
        )
        self.query_set += 1

    def add(self, query_id: int, path: str, journal: str | None = None, **args: Any) -> Message:
        """Subscribe, and wait for the query's first result."""
        self.modify(added(query_id, path, journal, **args))
        self.until(lambda: self.results.get(query_id))
        return self.results[query_id]

    def identify(self, token: str) -> None:
        """Send Authenticate for a user."""
        self.send("Authenticate", baseVersion=self.identity, tokenType="User", value=token)
        self.identity += 1

    def request(self, kind: str, request_id: int, path: str, **args: Any) -> None:
        """Send Mutation or Action."""
        self.send(kind, requestId=request_id, udfPath=path, args=[args])

    def mutate(self, request_id: int, path: str, **args: Any) -> Message:
        """Run a mutation; gives its MutationResponse."""
        self.request("Mutation", request_id, path, **args)
        return self.receive("MutationResponse")

    def act(self, request_id: int, path: str, **args: Any) -> Message:
        """Run an action; gives its ActionResponse."""
        self.request("Action", request_id, path, **args)
        return self.receive("ActionResponse")

    def next(self, seconds: float = WAIT_S) -> Message:
        """The next message; a Transition is checked and taken in."""
        message: Message = json.loads(self.socket.recv(timeout=seconds))
        if message["type"] == "Transition":
            self.take_in(message)
        return message

    def receive(self, type: str) -> Message:
        """The next message of a type; others before it are taken in."""
        while (message := self.next())["type"] != type:
            assert message["type"] in ("Transition", "Ping"), message
        return message

    def until(self, look: Callable[[], Any]) -> Any:
        """Take in transitions until there is something true."""
        while not (found := look()):
            self.receive("Transition")
        return found

    def reach(self, ts: str) -> None:
        """Take in transitions until that timestamp is reached."""
        self.until(lambda: read_ts(self.version["ts"]) >= read_ts(ts))

    def take_in(self, transition: Message) -> None:
        """Step to the next version, as the official client does: exactly, or not at all."""
        assert transition["startVersion"] == self.version, "Invalid start version"
        assert read_ts(transition["endVersion"]["ts"]) >= read_ts(self.version["ts"])
        self.version = transition["endVersion"]
        self.transitions.append(transition)
        for change in transition["modifications"]:
            if change["type"] == "QueryRemoved":
                self.results.pop(change["queryId"], None)
            else:
                self.results[change["queryId"]] = change

    def value(self, query_id: int) -> Any:
        """A query's newest value."""
        return self.results[query_id]["value"]

    def closing_words(self) -> tuple[list[Message], int, str]:
        """Wait for the server to close: its last messages, the close code and the reason."""
        messages = []
        try:
            while True:
                messages.append(self.next())
        except ConnectionClosed as closed:
            frame = closed.rcvd
            return messages, frame.code if frame else 1006, frame.reason if frame else ""

    def fatal(self) -> str:
        """Wait for FatalError and the close after it; gives the text."""
        messages, _, _ = self.closing_words()
        assert [message["type"] for message in messages[-1:]] == ["FatalError"], messages
        text: str = messages[-1]["error"]
        return text

    def close(self) -> None:
        """Close the socket."""
        self.open.close()


def added(query_id: int, path: str, journal: str | None = None, **args: Any) -> Message:
    """A modification that adds a query."""
    return {
        "type": "Add",
        "queryId": query_id,
        "udfPath": path,
        "args": [args],
        "journal": journal,
    }


def removed(query_id: int) -> Message:
    """A modification that removes a query."""
    return {"type": "Remove", "queryId": query_id}
