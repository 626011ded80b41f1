"""Sessions: one client each - its query set, its identity, the version it has seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headwater.core.calls import Outcome
from headwater.core.failures import WHOLE
from headwater.core.protocol import AddQuery, Connect, ModifyQuerySet, RemoveQuery, Version
from headwater.core.session import Close, Session, transition
from headwater.core.subscriptions import Subscriptions
from headwater.errors import ProtocolError
from headwater.settings import Limits


class Port:
    """A network that counts."""

    transitions_sent = 0

    def deliver(self, texts: list[str], transitions: int, close: Close | None) -> None:
        """Takes what is sent."""
        self.transitions_sent += transitions


class Client:
    """A session, its port and the server's subscriptions."""

    def __init__(self, **limits: Any) -> None:
        self.port = Port()
        self.subscriptions = Subscriptions()
        self.session = Session(self.port, Limits(**limits))
        self.session.connect(Connect("a session", 0), 5)

    def modify(self, *changes: AddQuery | RemoveQuery, base: int = 0) -> None:
        """The next query set."""
        self.session.modify(ModifyQuerySet(base, base + 1, changes), self.subscriptions)

    def run(self, value: bytes = b"1.0") -> None:
        """Every query gives this result."""
        for subscription in self.subscriptions.all():
            if self.subscriptions.settle(subscription, Outcome(value=value), WHOLE):
                for session, query_id in subscription.subscribers:
                    session.tell(query_id, subscription)

    def step(self, ts: int) -> dict[str, Any] | None:
        """The next transition."""
        step = self.session.step(ts, {})
        return json.loads(transition(*step)[0]) if step is not None else None


def add(query_id: int, path: str = "tasks:list") -> AddQuery:
    """A query to follow."""
    return AddQuery(query_id, path, {}, None)


def test_a_transition_takes_the_client_to_one_time() -> None:
    """All its queries at once, from the version it has to the next."""
    client = Client()
    client.modify(add(0), add(1, "tasks:count"))
    client.run()
    message = client.step(7)
    assert message is not None
    assert [m["queryId"] for m in message["modifications"]] == [0, 1]
    assert client.session.version == Version(1, 0, 7)
    assert client.step(8) is None, "nothing is new"


def test_an_unchanged_result_is_not_sent() -> None:
    """A changed one is, with the time it was true at."""
    client = Client()
    client.modify(add(0))
    client.run()
    client.step(7)
    client.run()
    assert client.step(8) is None
    client.run(b"2.0")
    message = client.step(9)
    assert message is not None
    assert message["modifications"][0]["value"] == 2.0


def test_a_removed_query_is_told_once() -> None:
    """And is not followed any more."""
    client = Client()
    client.modify(add(0))
    client.run()
    client.step(7)
    client.modify(RemoveQuery(0), base=1)
    message = client.step(8)
    assert message is not None
    assert message["modifications"] == [{"type": "QueryRemoved", "queryId": 0}]
    assert len(client.subscriptions) == 0


def test_transitions_unsent_is_a_limit() -> None:
    """A client with two unsent ones is given the newest state when it has taken one."""
    client = Client(transitions_unsent=2)
    client.modify(add(0))
    sent = []
    for number in range(4):
        client.run(str(float(number)).encode())
        sent.append(client.step(number + 10))
    assert [bool(one) for one in sent] == [True, True, False, False]
    client.port.deliver([], 1, None)
    message = client.step(20)
    assert message is not None
    assert message["modifications"][0]["value"] == 3.0


def test_two_clients_that_take_the_same_step_are_sent_the_same_text() -> None:
    """Equal steps have equal transitions, so one is made for all; a later step is another."""
    one, two, late = Client(), Client(), Client()
    two.subscriptions = late.subscriptions = one.subscriptions
    for client in (one, two, late):
        client.modify(add(0))
    one.run()
    late.session.step(6, {})
    late.session.tell(0, late.subscriptions.all()[0])
    steps = [client.session.step(7, {}) for client in (one, two, late)]
    assert steps[0] == steps[1] != steps[2]


def test_queries_per_session_is_a_limit() -> None:
    """Two of two are followed, a third is refused."""
    client = Client(queries_per_session=2)
    client.modify(add(0), add(1))
    with pytest.raises(ProtocolError, match="follows at most 2 queries"):
        client.modify(add(2), base=1)


@pytest.mark.parametrize(
    ("changes", "base", "message"),
    [
        ([add(0), add(0)], 0, "Duplicate queryId 0"),
        ([RemoveQuery(7)], 0, "Unknown queryId 7"),
        ([add(0)], 3, "BaseVersionMismatch: the query set is at version 0"),
    ],
)
def test_a_query_set_that_cannot_be_is_refused(
    changes: list[AddQuery | RemoveQuery], base: int, message: str
) -> None:
    """Twice the same id, an id that is not there, a version that is not the server's."""
    with pytest.raises(ProtocolError, match=message):
        Client().modify(*changes, base=base)


def test_a_client_connects_once_and_first() -> None:
    """Before it nothing is taken."""
    client = Client()
    with pytest.raises(ProtocolError, match="Connect was sent twice"):
        client.session.connect(Connect("a session", 0), 5)
    with pytest.raises(ProtocolError, match="the first message must be Connect"):
        Session(Port(), Limits()).check_connected()


def test_a_client_from_the_future_is_refused() -> None:
    """It has seen a newer database than there is: a restored backup, a wiped file."""
    with pytest.raises(ProtocolError, match="Reload the page"):
        Session(Port(), Limits()).connect(Connect("a session", 6), 5)


def test_a_new_identity_moves_queries_that_looked_at_the_old() -> None:
    """The others stay with their shared result."""
    client = Client()
    client.modify(add(0))
    before = client.subscriptions.all()
    client.session.authenticate(0, {"subject": "ana"}, client.subscriptions)
    after = client.subscriptions.all()
    assert before != after
    assert client.session.unrun() == after
    with pytest.raises(ProtocolError, match="the identity is at version 1"):
        client.session.authenticate(0, None, client.subscriptions)


def test_a_session_that_leaves_follows_nothing() -> None:
    """Its subscriptions end with their last subscriber."""
    client = Client()
    client.modify(add(0))
    client.session.leave(client.subscriptions)
    assert client.session.closed
    assert len(client.subscriptions) == 0


def test_a_large_transition_is_cut_for_clients_that_can_join_it() -> None:
    """In parts of a few megabytes."""
    client = Client()
    client.session = Session(client.port, Limits(), chunked=True)
    client.session.connect(Connect("a session", 0), 5)
    client.modify(add(0))
    client.run(json.dumps("x" * 6_000_000).encode())
    step = client.session.step(7, {})
    assert step is not None
    parts = [json.loads(text) for text in transition(*step)]
    assert [part["type"] for part in parts] == ["TransitionChunk"] * 2
