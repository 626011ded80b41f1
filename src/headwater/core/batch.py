"""One batch of the engine on its way: replies wait here until its commit is durable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from headwater.core.counters import EngineCounters
from headwater.core.failures import Failure
from headwater.core.protocol import Version
from headwater.core.session import Close, Session, Step, transition
from headwater.core.subscriptions import Subscription
from headwater.core.work import Delivery, Execute, Output, Pin


@dataclass
class EngineBatch:
    """What one batch has done so far.

    Attributes:
        acks: make the replies; told why the batch was lost, or None.
        queries: to be answered after the commit.
        dirty: subscriptions to be run again.
        sessions: who may need a transition.
        texts: what is sent before the replies.
        closing: connections that end with this batch.
        answers: replies that do not wait for the commit.
        lost: why nothing of the batch is kept.
    """

    acks: list[Callable[[Failure | None], Output]] = field(default_factory=list)
    queries: list[Execute | Pin] = field(default_factory=list)
    dirty: dict[Subscription, None] = field(default_factory=dict)
    sessions: dict[Session, None] = field(default_factory=dict)
    texts: dict[Session, list[str]] = field(default_factory=dict)
    closing: dict[Session, Close] = field(default_factory=dict)
    answers: list[Output] = field(default_factory=list)
    lost: Failure | None = None

    def outputs(self, ts: int, counters: EngineCounters) -> list[Output]:
        """What goes to the network, now that it is committed or lost.

        Args:
            ts: the newest durable timestamp, which clients are moved to.
            counters: counts the transitions.
        """
        outputs: list[Output] = []
        for session, texts in self.texts.items():
            outputs.append(Delivery([session], texts))
        outputs.extend(ack(self.lost) for ack in self.acks)
        outputs.extend(self.answers)
        outputs.extend(self._transitions(ts, counters))
        for session, close in self.closing.items():
            outputs.append(Delivery([session], [], 0, close))
        return outputs

    def _transitions(self, ts: int, counters: EngineCounters) -> Iterable[Delivery]:
        """One delivery for all clients that take the same step; results first, somebody waits."""
        pushes: dict[Step, Delivery] = {}
        others: dict[Step, Delivery] = {}
        versions: dict[Version, Version] = {}
        for session in self.sessions:
            step = None if session.closed else session.step(ts, versions)
            if step is not None:
                made = pushes if step[-1] else others
                delivery = made.get(step)
                if delivery is None:
                    delivery = made[step] = Delivery([], transition(*step), 1)
                delivery.sessions.append(session)
                counters.transitions += 1
        return [*pushes.values(), *others.values()]
