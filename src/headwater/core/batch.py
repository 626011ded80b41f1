"""One batch of the engine on its way: replies wait here until its commit is durable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from headwater.core.failures import Failure
from headwater.core.session import Close, Session
from headwater.core.subscriptions import Subscription
from headwater.core.work import Execute, Output, Pin


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
