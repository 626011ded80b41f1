"""What every part of a lab stands on: the learner's process, the host, and how a check ends."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn, TypeVar, cast

from headwater.host import Endless, Host
from headwater.worker_placement import WorkerPlacement
from headwater_workshop.lab.stock import Filled, Stock, stock_key
from headwater_workshop.report import Finding

T = TypeVar("T")
Worlds = Callable[[], Sequence[WorkerPlacement]]
"""Gives the same backend in processes that differ in all that a function may not depend on."""


class CheckFailed(Exception):
    """A check found something; carries the finding."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


class Bench:
    """The part of a lab that all its parts share.

    Attributes:
        random: chance for this check, from the run's seed and the check's name.
        sources: the learner's graded files, as text by path: data, never run here.
    """

    def __init__(
        self,
        worker: WorkerPlacement,
        sources: Mapping[str, str],
        *,
        objective: str,
        seed: str,
        worlds: Worlds = lambda: (),
        stock: Stock | None = None,
    ) -> None:
        self.sources = sources
        self.random = random.Random(seed)
        self._worker, self._objective, self._worlds = worker, objective, worlds
        self._stock = stock
        self._host = self._new_host()

    def _new_host(self) -> Host:
        return Host(self._worker, seed=self.random.getrandbits(32))

    def close(self) -> None:
        """Let the database go."""
        self._host.close()

    def empty(self) -> None:
        """Start over with an empty database."""
        self._host.close()
        self._host = self._new_host()

    def filled(self, fill: Callable[[], T]) -> T:
        """Start over with a database that `fill` has filled: with `random` and `insert_many`, and
        without a call of the learner's functions. Gives what it returns.

        `grade --watch` fills it once, and comes back to it as long as tables and chance are the
        same: a learner should not wait for thousands of documents at each save.
        """
        self.empty()
        if self._stock is None:
            return fill()
        key = stock_key(self._host.manifest, self.random.getstate())
        found = self._stock.find(key)
        if found is None:
            value = fill()
            self._stock.keep(key, Filled(self._host.keep(), self.random.getstate(), value))
            return value
        self._host.close()
        self._host = Host(self._worker, kept=found.kept)
        self.random.setstate(found.chance)
        return cast("T", found.value)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """A block that makes the learner's functions run.

        Raises:
            WorkerFailed: the learner's process did not play by the rules.
            CheckFailed: whoever looked between two commits found something.
        """
        try:
            yield
        except Endless as endless:
            self.fail(
                self._objective,
                seen=f"Scheduled calls do not come to an end: {endless}",
                fix="let a scheduled call schedule the next only while there is something left",
                more=self._objective.partition(".")[0],
            )
        finally:
            failure = self._host.taken_failure()
        if failure is not None:
            raise failure

    def fail(self, code: str, *, seen: str, fix: str, more: str) -> NoReturn:
        """End the check with a finding.

        Args:
            code: the observation's name, or the objective's.
            seen: what was observed, with numbers; never a hidden input or an expected value.
            fix: one next step.
            more: a rule's id (`HW103`), or a lesson's label (`L1`).
        """
        if more.startswith("HW"):
            more = f"headwater explain {more}"
        else:
            more = f"headwater lesson show {more.removeprefix('L')}"
        raise CheckFailed(Finding(code=code, what=seen, fix=fix, more=more))
