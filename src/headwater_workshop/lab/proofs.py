"""The part of a lab that proves what one good call cannot show: calls replayed in other worlds,
with a write refused, at the same time as others, and looked at between their transactions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from headwater.host import FunctionKind, Rehearsal
from headwater.worker_placement import WorkerPlacement
from headwater_workshop.lab.bench import Bench
from headwater_workshop.lab.calls import Attempt, Caller
from headwater_workshop.lab.values import differs

Written = dict[str, tuple[str, dict[str, Any] | None]]


@dataclass(frozen=True)
class Replay:
    """One call, made in several worlds on the same data; nothing of it was kept.

    Attributes:
        same: it would have written and returned the same in all of them.
        fields: what differed: `tasks.updatedAt`; `tasks._id` for documents that only some of them
            would have written; `result`.
        attempts: how it ended in each; their changes are those it would have committed.
    """

    same: bool
    fields: tuple[str, ...]
    attempts: tuple[Attempt, ...]


class Proving(Bench):
    """A bench that makes calls in unusual ways."""

    def replay(
        self,
        caller: Caller,
        path: str,
        arguments: Mapping[str, Any],
        kind: FunctionKind = "mutation",
    ) -> Replay:
        """Make a call with the same data, `ctx.now` and `ctx.random` in three processes that
        differ in all else: their wall clocks are months apart, their `random` and the order of
        their sets another, and what their modules remember. Nothing is kept. Actions are not
        replayed: what they did outside stays done.
        """
        wanted = (path, dict(arguments), caller.identity)
        stages = [(place, runs) for runs, place in enumerate(self._worlds(), 1)]
        for place, _ in stages:
            if isinstance(place, WorkerPlacement):  # handlers of this process have its variables
                place.have(self._worker.environment)
        with self._held():
            first, *others = found = self._host.rehearse(kind, wanted, stages)
        fields = sorted({name for other in others for name in _differences(first, other)})
        attempts = tuple(Attempt.of(each.call) for each in found)
        return Replay(not fields, tuple(fields), attempts)

    @contextmanager
    def break_write(self, nth: int) -> Iterator[None]:
        """Calls inside have their nth write refused, from 1; those that write less are not
        touched. A mutation that lets the error leave it has changed nothing.
        """
        with self._host.refusing_write(nth):
            yield

    @contextmanager
    def between(self, watch: Callable[[], None]) -> Iterator[None]:
        """After every commit inside, `watch` is called, to look as somebody else does."""
        with self._host.watching(watch):
            yield

    def together(
        self,
        calls: Sequence[tuple[Caller, str, Mapping[str, Any]]],
        kind: FunctionKind = "mutation",
    ) -> list[Attempt]:
        """Calls made at the same time, in an order by chance; actions take turns at every step.
        Gives how each ended, in the order they are given.
        """
        wanted = [(path, dict(given), caller.identity) for caller, path, given in calls]
        with self._held():
            return [Attempt.of(each) for each in self._host.together(kind, wanted, self.random)]


def _differences(one: Rehearsal, other: Rehearsal) -> Iterator[str]:
    for document_id in {**one.written, **other.written}:
        yield from _document_differences(document_id, one.written, other.written)
    if one.call.text != other.call.text or differs(one.call.value, other.call.value):
        yield "result"


def _document_differences(document_id: str, one: Written, other: Written) -> Iterator[str]:
    table = (one.get(document_id) or other[document_id])[0]
    here, there = (written.get(document_id, (table, None))[1] for written in (one, other))
    if (here is None) != (there is None) or (document_id in one) != (document_id in other):
        yield f"{table}._id"
    elif here is not None and there is not None:
        for name in {**here, **there}:
            if name not in here or name not in there or differs(here[name], there[name]):
                yield f"{table}.{name}"
