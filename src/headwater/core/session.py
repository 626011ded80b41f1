"""Sessions: one connected client each - its query set, its identity, the version it has seen."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

from headwater.core import protocol, values
from headwater.core.protocol import AddQuery, Connect, ModifyQuerySet, RemoveQuery, Version
from headwater.core.subscriptions import Subscription, Subscriptions
from headwater.errors import ProtocolError
from headwater.settings import Limits

# These stand for any empty one and are never written to; so an idle session has none of its own.
_NO_NEWS: dict[int, Subscription] = {}
_NONE_REMOVED: list[int] = []
_id = itemgetter(0)


Step = tuple[
    bool, Version, Version, tuple[int, ...], tuple[tuple[int, Subscription], ...]
]  # not a NamedTuple, which takes longer to make than all the rest of a step
"""Everything the texts of a transition are made of: chunked, start, end, removed, news. Equal for
many clients of one query, while a batch's results stand.
"""


@dataclass(frozen=True, slots=True)
class Close:
    """The end of a connection: a WebSocket close code, and a short reason clients know."""

    code: int = 1000
    reason: str = ""


class Port(Protocol):
    """The network's end of a session.

    Attributes:
        transitions_sent: how many transitions have left for the client; only the network counts it
        up.
    """

    transitions_sent: int

    def deliver(self, texts: list[str], transitions: int, close: Close | None) -> None:
        """Sends texts in order, `transitions` of them, then closes if told to. On the network's
        thread; never raises, for others wait behind it.
        """


class Session:
    """What the engine knows of one connection.

    Attributes:
        id: the client's session id; None -> str, by Connect.
        version: what the client has seen; moves with each transition.
        identity: who the client is; None -> dict -> None, by Authenticate.
        moved: the client needs a transition even if no query changed.
        closed: nothing more is taken from it or sent to it.
        admin: it has shown the admin key and may reach internal functions.
        taken: messages taken so far; the network holds a client back that is too far ahead.
        held_back: a transition was withheld; the network says `Drained` once it has sent more.
    """

    __slots__ = (
        "_chunked",
        "_followed",
        "_limits",
        "_news",
        "_next",
        "_posted",
        "_removed",
        "admin",
        "closed",
        "held_back",
        "id",
        "identity",
        "moved",
        "port",
        "taken",
        "version",
    )

    def __init__(self, port: Port, limits: Limits, *, chunked: bool = False) -> None:
        self.port = port
        self.id: str | None = None
        self.version = Version()
        self.identity: dict[str, Any] | None = None
        self.moved = False
        self.closed = False
        self.admin = False
        self.taken = 0
        self.held_back = False
        self._chunked = chunked
        self._limits = limits
        self._next = Version()  # where the next transition leads
        self._followed: dict[int, Subscription] = {}
        self._news = _NO_NEWS
        self._removed = _NONE_REMOVED
        self._posted = 0

    # client messages

    def connect(self, message: Connect, last_ts: int) -> None:
        """Takes the first message.

        Raises:
            ProtocolError: a second Connect, or a client that has seen a newer database than this.
        """
        if self.id is not None:
            raise ProtocolError("Connect was sent twice")
        if message.max_observed_ts > last_ts:
            raise ProtocolError(
                "the client has seen a newer version of the database than this server holds; was "
                "the database wiped or restored from a backup? Reload the page to start anew"
            )
        self.id = message.session_id

    def check_connected(self) -> None:
        """Refuses messages before Connect.

        Raises:
            ProtocolError: Connect has not come.
        """
        if self.id is None:
            raise ProtocolError("the first message must be Connect")

    def authenticate(
        self,
        base_version: int,
        identity: dict[str, Any] | None,
        subscriptions: Subscriptions,
        *,
        admin: bool = False,
    ) -> None:
        """Takes a new identity; queries that looked at the old one follow it, and all of them when
        the client becomes an admin or is one no longer.

        Raises:
            ProtocolError: not the version the server is at.
        """
        self._check_base("identity", base_version, self._next.identity)
        self._next = self._next._replace(identity=base_version + 1)
        self.moved = True
        if identity == self.identity and admin == self.admin:
            return
        self.identity, self.admin = identity, admin
        for query_id, old in list(self._followed.items()):
            if old.shared and old.internal == admin:
                continue
            new = subscriptions.attach_again(old, (self, query_id), identity, admin)
            if new is not old:
                subscriptions.detach(old, (self, query_id))
                self.follow(query_id, new)

    def modify(self, message: ModifyQuerySet, subscriptions: Subscriptions) -> None:
        """Takes the next version of the query set.

        Raises:
            ProtocolError: not the version the server is at, an id that is known or unknown, too
            many.
        """
        self._check_base("query set", message.base_version, self._next.query_set)
        self._next = self._next._replace(query_set=message.new_version)
        self.moved = True
        for modification in message.modifications:
            if isinstance(modification, AddQuery):
                self._add(modification, subscriptions)
            else:
                self._remove(modification, subscriptions)

    def _add(self, query: AddQuery, subscriptions: Subscriptions) -> None:
        if query.query_id in self._followed:
            raise ProtocolError(f"Duplicate queryId {query.query_id}")
        if len(self._followed) >= self._limits.queries_per_session:
            raise ProtocolError(
                f"one connection follows at most {self._limits.queries_per_session} queries"
            )
        subscription = subscriptions.attach(
            (self, query.query_id),
            query.path,
            query.arguments,
            values.encode(query.arguments),
            query.journal,
            self.identity,
            self.admin,
        )
        self.follow(query.query_id, subscription)

    def _remove(self, query: RemoveQuery, subscriptions: Subscriptions) -> None:
        subscription = self._followed.pop(query.query_id, None)
        if subscription is None:
            raise ProtocolError(f"Unknown queryId {query.query_id}")
        subscriptions.detach(subscription, (self, query.query_id))
        self._news.pop(query.query_id, None)
        if not self._removed:
            self._removed = []
        self._removed.append(query.query_id)

    def _check_base(self, what: str, given: int, current: int) -> None:
        if given != current:
            raise ProtocolError(
                f"BaseVersionMismatch: the {what} is at version {current}, "
                f"the message builds on {given}"
            )

    # results

    def follow(self, query_id: int, subscription: Subscription) -> None:
        """Points a query id at a subscription whose result the client has yet to see."""
        self._followed[query_id] = subscription
        self.tell(query_id, subscription)

    def tell(self, query_id: int, subscription: Subscription) -> None:
        """Notes that a followed query has a new result."""
        if not self._news:
            self._news = {}
        self._news[query_id] = subscription

    def unrun(self) -> list[Subscription]:
        """Followed queries that have no result yet."""
        return list(dict.fromkeys(s for s in self._news.values() if s.result is None))

    def runs(self, query_id: int) -> int:
        """How often a followed query was run."""
        return self._followed[query_id].runs

    @property
    def behind(self) -> bool:
        """True while the client has too many unsent transitions to be given another."""
        return self._posted - self.port.transitions_sent >= self._limits.transitions_unsent

    def step(self, ts: int, versions: dict[Version, Version]) -> Step | None:
        """Moves the client to `ts`, all its queries at once; None when it needs no transition.

        Clients that take the same step are sent the same texts, made once by `transition`.

        Args:
            ts: where to.
            versions: of this batch, by the one before; equal ones are kept once.
        """
        if not (self._news or self._removed or self.moved) or self._is_held_back():
            return None
        end = versions.get(self._next)
        if end is None:
            end = versions[self._next] = self._next._replace(ts=ts)
        told = self._news.items()
        news = tuple(told) if len(told) < 2 else tuple(sorted(told, key=_id))
        step = (self._chunked, self.version, end, tuple(self._removed), news)
        self.version = self._next = end
        self._news = _NO_NEWS
        self._removed = _NONE_REMOVED
        self.moved = False
        self._posted += 1
        return step

    def _is_held_back(self) -> bool:
        # The network counts what it sent, then looks at this; we set this, then look at its count:
        # whoever comes second sees the other, so that nothing withheld is forgotten.
        self.held_back = self.behind
        self.held_back = self.held_back and self.behind
        return self.held_back

    def leave(self, subscriptions: Subscriptions) -> None:
        """Ends the session: its queries are no longer followed."""
        self.closed = True
        for query_id, subscription in self._followed.items():
            subscriptions.detach(subscription, (self, query_id))
        self._followed.clear()
        self._news = _NO_NEWS


def transition(
    chunked: bool,
    start: Version,
    end: Version,
    removed: tuple[int, ...],
    news: tuple[tuple[int, Subscription], ...],
) -> list[str]:
    """The messages of a transition: one, or its parts if it is large and the client takes parts."""
    modifications = [protocol.query_removed(query_id) for query_id in removed]
    for query_id, subscription in news:
        result = subscription.result
        assert result is not None, "every followed query was run before its transition"
        modifications.append(result.modification(query_id))
    text = protocol.transition(start, end, modifications)
    if not chunked or len(text) < 1_000_000:
        return [text]
    parts = protocol.chunks(text, f"{end.query_set}-{end.identity}-{end.ts}")
    return parts if len(parts) > 1 else [text]
