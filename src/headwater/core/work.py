"""What waits in the engine's queue."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from concurrent.futures import Future as ThreadsFuture
from dataclasses import dataclass
from typing import Any

from headwater.core.calls import Call, Outcome, Placement
from headwater.core.database import Database
from headwater.core.protocol import Connect, ModifyQuerySet, MutationRequest, TooLarge
from headwater.core.session import Close, Session
from headwater.core.transaction import Transaction


@dataclass(frozen=True, slots=True)
class FromClient:
    """A message of a connected client."""

    session: Session
    message: Connect | ModifyQuerySet | MutationRequest | TooLarge


@dataclass(frozen=True, slots=True)
class Authenticated:
    """An Authenticate message whose token the network side has proven, or refused with `error`.

    Attributes:
        attempted: False when no message came: the token proven before has expired.
    """

    session: Session
    base_version: int
    identity: dict[str, Any] | None
    error: str | None = None
    admin: bool = False
    attempted: bool = True


@dataclass(frozen=True, slots=True)
class Left:
    """A connection that is gone."""

    session: Session


@dataclass(frozen=True, slots=True)
class Drained:
    """A slow client took what was waiting for it."""

    session: Session


@dataclass(frozen=True, slots=True)
class Execute:
    """One query or mutation for somebody who is no session: HTTP, an action, a test."""

    call: Call
    reply: Callable[[Outcome, int], None]


@dataclass(frozen=True, slots=True)
class Pin:
    """Somebody wants to run several queries at one timestamp, which the reply names."""

    reply: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Transact:
    """A step of the runtime itself in a transaction of its own: the record of an uploaded file, a
    call scheduled by an action.

    Attributes:
        step: reads and writes by the transaction's `system_` methods and `answer`.
        reply: given what the step returned once that is durable, or why it was not kept.
    """

    step: Callable[[Transaction], Any]
    reply: Callable[[Any, BaseException | None], None]


@dataclass(frozen=True, slots=True)
class RunDue:
    """The next of what is due by now: a scheduled call, a cron; nothing when nothing is."""


@dataclass(frozen=True, slots=True)
class Reload:
    """Another backend to serve from now on.

    Attributes:
        load: makes it.
        reply: told of the error, or None, when it serves or never will.
        waits: told that large tables are made ready for it first, and what is done to them.
    """

    load: Callable[[], Placement]
    reply: Callable[[BaseException | None], None]
    waits: Callable[[str], None] = lambda _text: None


@dataclass(frozen=True, slots=True)
class Overhaul:
    """A step of the runtime on the database itself, alone in its batch: an import takes effect.

    Attributes:
        step: reads, and if it `writes`, writes the storage and the catalog, all of it or nothing.
        reply: given what the step returned once that is durable, or why it was not kept.
        writes: everything anybody follows is looked at again afterwards.
    """

    step: Callable[[Database], Any]
    reply: Callable[[Any, BaseException | None], None]
    writes: bool = True


Work = (
    FromClient
    | Authenticated
    | Left
    | Drained
    | Execute
    | Pin
    | Transact
    | RunDue
    | Overhaul
    | Reload
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The same texts for some clients."""

    sessions: list[Session]
    texts: list[str]
    transitions: int = 0
    close: Close | None = None

    def send(self) -> None:
        """Hands the texts to the network; on its thread."""
        for session in self.sessions:
            session.port.deliver(self.texts, self.transitions, self.close)


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of an Execute or a Reload."""

    reply: Callable[[], None]

    def send(self) -> None:
        """Calls back whoever waits."""
        self.reply()


Output = Delivery | Answer


def settle(
    future: Future[Any] | ThreadsFuture[Any], value: Any, error: BaseException | None
) -> None:
    """Ends a future that waits for an Execute or a Transact, unless who waited is gone."""
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)
