"""Subscriptions: queries kept alive with their read sets, one for each distinct query.

A result is shared by all who ask the same function with the same arguments - and the same identity,
once the function has looked at it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from headwater.core import protocol
from headwater.core.calls import Call, Outcome
from headwater.core.failures import Disclosure
from headwater.core.reads import Interval, IntervalIndex

Subscriber = tuple[Any, int]
"""A session and the query id it knows the subscription by."""

Key = tuple[str, bytes, "str | None", bool, str]
"""Path, arguments, journal, whether internal functions may be reached, and the caller or `*`."""

_SHARED = "*"


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What a subscription shows, encoded once for all subscribers."""

    body: str
    failed: bool

    def modification(self, query_id: int) -> str:
        """The result as one client's modification."""
        made = protocol.query_failed if self.failed else protocol.query_updated
        return made(query_id, self.body)


@dataclass(eq=False, slots=True)
class Subscription:
    """One distinct query. What an admin follows is shared with nobody else: it may be internal.

    `result` goes None -> Result (first run) -> Result (each run that changed it).
    """

    path: str
    arguments: Any
    arguments_key: bytes
    journal: str | None
    identity: dict[str, Any] | None
    key: Key
    result: Result | None = None
    signature: tuple[Any, ...] = ()
    last_journal: list[str] | None = None
    intervals: set[Interval] = field(default_factory=set)
    subscribers: set[Subscriber] = field(default_factory=set)
    runs: int = 0

    @property
    def newest_journal(self) -> str | None:
        """Where its pages end now: what another subscription of the same pages begins with."""
        return protocol.encode_journal(self.last_journal or [])

    @property
    def shared(self) -> bool:
        """True when the function did not look at the caller."""
        return self.key[-1] == _SHARED

    @property
    def internal(self) -> bool:
        """True when internal functions may be reached by it."""
        return self.key[3]

    def call(self) -> Call:
        """The call that computes it."""
        journal, internal = self.last_journal, self.key[3]
        return Call(self.path, "query", self.arguments, self.identity, internal, journal)


def identity_key(identity: dict[str, Any] | None) -> str:
    """What tells two callers apart: everything a function could see of them."""
    return "" if identity is None else repr(sorted(identity.items(), key=lambda item: item[0]))


class Subscriptions:
    """All subscriptions of a server, and the index of what they read."""

    def __init__(self) -> None:
        self._by_key: dict[Key, Subscription] = {}
        self._index: IntervalIndex[Subscription] = IntervalIndex()

    def __len__(self) -> int:
        return len(self._by_key)

    def all(self) -> list[Subscription]:
        """Every subscription."""
        return list(self._by_key.values())

    def find(
        self,
        path: str,
        arguments_key: bytes,
        journal: str | None,
        identity: dict[str, Any] | None,
        internal: bool = False,
    ) -> Subscription | None:
        """The subscription that would answer this caller, if there is one."""
        asked = (path, arguments_key, journal, internal)
        return self._by_key.get((*asked, _SHARED)) or self._by_key.get(
            (*asked, identity_key(identity))
        )

    def attach(
        self,
        subscriber: Subscriber,
        path: str,
        arguments: Any,
        arguments_key: bytes,
        journal: str | None,
        identity: dict[str, Any] | None,
        internal: bool = False,
    ) -> Subscription:
        """The subscription of a caller's query, made when it is the first; `result` None: to be
        run.
        """
        found = self.find(path, arguments_key, journal, identity, internal)
        if found is None:
            key = (path, arguments_key, journal, internal, identity_key(identity))
            found = Subscription(path, arguments, arguments_key, journal, identity, key)
            found.last_journal = protocol.decode_journal(journal)
            self._by_key[key] = found
        found.subscribers.add(subscriber)
        return found

    def attach_again(
        self,
        old: Subscription,
        subscriber: Subscriber,
        identity: dict[str, Any] | None,
        internal: bool = False,
    ) -> Subscription:
        """The subscription of the same query for another identity; its pages end as they did."""
        journal = old.newest_journal
        return self.attach(
            subscriber, old.path, old.arguments, old.arguments_key, journal, identity, internal
        )

    def detach(self, subscription: Subscription, subscriber: Subscriber) -> None:
        """Takes a subscriber away; the last one ends the subscription."""
        subscription.subscribers.discard(subscriber)
        if not subscription.subscribers:
            self._drop(subscription)

    def _drop(self, subscription: Subscription) -> None:
        for interval in subscription.intervals:
            self._index.remove(interval, subscription)
        subscription.intervals = set()
        if self._by_key.get(subscription.key) is subscription:
            del self._by_key[subscription.key]

    def invalidated(self, keys: Iterable[bytes]) -> set[Subscription]:
        """The subscriptions that looked at any of these keys."""
        return self._index.readers(keys)

    def settle(self, subscription: Subscription, outcome: Outcome, disclosure: Disclosure) -> bool:
        """Takes in a run: its read set and its result. True when subscribers have something new.

        Args:
            subscription: what was run.
            outcome: how the run ended.
            disclosure: how much of a failure clients are told.
        """
        subscription.runs += 1
        self._watch(subscription, outcome.reads.intervals)
        if outcome.failure is None:  # else pages still end where the client saw them end
            subscription.last_journal = outcome.journal or None
        signature = (outcome.value, outcome.failure, outcome.log_lines, outcome.journal)
        if subscription.result is not None and signature == subscription.signature:
            return False
        subscription.signature = signature
        subscription.result = _result(outcome, subscription.newest_journal, disclosure)
        return True

    def _watch(self, subscription: Subscription, intervals: set[Interval]) -> None:
        for interval in subscription.intervals - intervals:
            self._index.remove(interval, subscription)
        for interval in intervals - subscription.intervals:
            self._index.add(interval, subscription)
        subscription.intervals = set(intervals)

    def shared_twin(self, subscription: Subscription) -> Subscription | None:
        """The shared subscription of the same query and the same pages, when it is another one."""
        twin = self._by_key.get((*subscription.key[:4], _SHARED))
        if twin is None or twin is subscription:
            return None
        new = subscription.result is None
        return twin if new or twin.last_journal == subscription.last_journal else None

    def share(self, subscription: Subscription) -> None:
        """Lets every caller share a subscription whose function did not look at the caller."""
        shared_key = (*subscription.key[:4], _SHARED)
        if shared_key in self._by_key:
            return  # there is one, whose pages end elsewhere
        self._by_key.pop(subscription.key, None)
        subscription.key = shared_key
        subscription.identity = None
        self._by_key[subscription.key] = subscription

    def unshare(self, subscription: Subscription) -> None:
        """Ends a shared subscription whose function has begun to look at the caller."""
        self._drop(subscription)


def _result(outcome: Outcome, journal: str | None, disclosure: Disclosure) -> Result:
    lines = disclosure.lines(outcome.log_lines)
    if outcome.failure is None:
        assert outcome.value is not None, "a call ends with a value or a failure"
        return Result(protocol.result_body(outcome.value, lines, journal), failed=False)
    message = disclosure.message(outcome.failure, outcome.request_id)
    body = protocol.failure_body(message, outcome.failure.data, lines, journal)
    return Result(body, failed=True)
