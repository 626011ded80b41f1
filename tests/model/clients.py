"""A client of the engine without a network: it takes every text and keeps what it was told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from headwater.core import protocol
from headwater.core.session import Close, Session
from headwater.core.values import from_json
from headwater.settings import Limits


@dataclass
class Told:
    """What a client last heard of one query."""

    value: Any = None
    error: str | None = None
    journal: str | None = None
    text: str = ""


@dataclass
class Client:
    """One connection.

    Attributes:
        slow: takes texts, but says so only when `catch_up` is called.
        caught_up: what comes now is what it missed.
        told: the state of each query it follows.
        unchanged: queries of which a result was pushed though nothing was new.
        news: queries it was told something of since the last check.
    """

    id: str
    identity: dict[str, Any] | None
    limits: Limits = field(default_factory=Limits)
    slow: bool = False
    caught_up: bool = False
    transitions_sent: int = 0
    delivered: int = 0
    told: dict[int, Told] = field(default_factory=dict)
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    unchanged: list[int] = field(default_factory=list)
    news: set[int] = field(default_factory=set)
    ts: int = 0

    def connect(self) -> None:
        """A new connection of the same client: it remembers the newest time it has seen."""
        self.session = Session(self, self.limits)
        self.session.identity = self.identity
        self.told.clear()
        self.version = protocol.Version()
        self.delivered = self.transitions_sent = self.query_set = 0

    @property
    def subject(self) -> str | None:
        """Who it is, None when nobody is signed in."""
        return self.identity["subject"] if self.identity is not None else None

    @property
    def behind(self) -> bool:
        """True while it is owed a transition it has no room for."""
        return self.delivered - self.transitions_sent >= self.limits.transitions_unsent

    def catch_up(self) -> None:
        """Says that it took everything."""
        self.transitions_sent = self.delivered

    def deliver(self, texts: list[str], transitions: int, close: Close | None) -> None:
        """Takes what the engine sends."""
        assert close is None, f"closed: {close}, {texts}"
        assert not (transitions and self.behind), "a client that is behind is not sent more"
        self.delivered += transitions
        if not self.slow:
            self.catch_up()
        for text in texts:
            message = json.loads(text)
            take: Callable[[dict[str, Any]], None] = getattr(self, f"_{message['type']}")
            take(message)

    def _Transition(self, message: dict[str, Any]) -> None:
        start, end = _version(message["startVersion"]), _version(message["endVersion"])
        assert start == self.version, "a transition starts where the one before ended"
        assert end.ts >= max(start.ts, self.ts), "time does not go back"
        self.version, self.ts = end, end.ts
        for modification in message["modifications"]:
            self._modify(modification)

    def _modify(self, modification: dict[str, Any]) -> None:
        query_id = modification.pop("queryId")
        if modification["type"] == "QueryRemoved":
            self.told.pop(query_id, None)
            self.news.discard(query_id)
            return
        title, _, _ = modification.get("errorMessage", "").partition("\n")  # has a random id
        text = json.dumps(modification).replace(title, "")
        before = self.told.get(query_id)
        if before is not None and before.text == text:
            self.unchanged.append(query_id)
        value = from_json(modification["value"]) if "value" in modification else None
        error = modification.get("errorMessage")
        self.told[query_id] = Told(value, error, modification["journal"], text)
        self.news.add(query_id)

    def _MutationResponse(self, message: dict[str, Any]) -> None:
        self.answers[message["requestId"]] = message


def _version(data: dict[str, Any]) -> protocol.Version:
    return protocol.Version(data["querySet"], data["identity"], protocol.decode_ts(data["ts"]))
