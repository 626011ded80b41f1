"""Re-runs: queries that are kept alive, run again when what they read was written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from headwater.core.batch import EngineBatch
from headwater.core.calls import Call, Outcome
from headwater.core.counters import EngineCounters
from headwater.core.failures import Disclosure
from headwater.core.subscriptions import Subscription, Subscriptions


class Reruns:
    """Runs each invalidated query once, however many clients follow it.

    Args:
        subscriptions: the queries kept alive.
        run: runs a call.
        counters: counts the runs.
    """

    def __init__(
        self,
        subscriptions: Subscriptions,
        run: Callable[[Call], Outcome],
        counters: EngineCounters,
    ) -> None:
        self._subscriptions, self._run, self._counters = subscriptions, run, counters

    def run(self, batch: EngineBatch, disclosure: Disclosure) -> None:
        """Runs what a commit invalidated and what is new; those whose result changed are told.

        Args:
            batch: names the dirty subscriptions and the sessions; gets the sessions to be told.
            disclosure: how much of failures clients are told.
        """
        waiting = deque(batch.dirty)
        for session in batch.sessions:
            waiting.extend(s for s in session.unrun() if s not in batch.dirty)
        while waiting:
            subscription = waiting.popleft()
            if subscription.subscribers:
                waiting.extend(self._run_one(subscription, batch, disclosure))

    def _run_one(
        self, subscription: Subscription, batch: EngineBatch, disclosure: Disclosure
    ) -> Iterable[Subscription]:
        """Runs one query; gives further subscriptions to run, when its sharing came apart."""
        shared = self._subscriptions.shared_twin(subscription)
        if shared is not None and shared.result is not None:
            self._move(subscription, shared, batch)
            return ()
        outcome = self._run(subscription.call())
        self._counters.query_runs += 1
        if subscription.shared and outcome.identity_read:
            return self._split(subscription, batch)
        if not subscription.shared and not outcome.identity_read:
            self._subscriptions.share(subscription)
        if self._subscriptions.settle(subscription, outcome, disclosure):
            self._counters.results_encoded += 1
            for session, query_id in subscription.subscribers:
                session.tell(query_id, subscription)
                batch.sessions[session] = None
        return ()

    def _move(self, old: Subscription, new: Subscription, batch: EngineBatch) -> None:
        for session, query_id in list(old.subscribers):
            new.subscribers.add((session, query_id))
            session.follow(query_id, new)
            batch.sessions[session] = None
            self._subscriptions.detach(old, (session, query_id))

    def _split(self, subscription: Subscription, batch: EngineBatch) -> list[Subscription]:
        """The function has begun to look at the caller: every identity gets a subscription of its
        own.
        """
        self._subscriptions.unshare(subscription)
        made: dict[Subscription, None] = {}
        for session, query_id in list(subscription.subscribers):
            subscriber = session, query_id
            who, internal = session.identity, subscription.internal
            own = self._subscriptions.attach_again(subscription, subscriber, who, internal)
            session.follow(query_id, own)
            batch.sessions[session] = None
            if own.result is None:
                made[own] = None
        subscription.subscribers.clear()
        return list(made)
