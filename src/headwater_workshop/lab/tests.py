"""The part of a lab that runs what a learner wrote beside the backend: tests, a page's code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headwater.testing_page import SimulatedPage
from headwater.worker_placement import WorkerPlacement
from headwater_workshop.lab.bench import Bench, Worlds
from headwater_workshop.lab.calls import Caller
from headwater_workshop.lab.learner_tests import TestRun, TestRunner
from headwater_workshop.lab.pages import PageProcess, PageServer
from headwater_workshop.lab.rewriting import rewritten
from headwater_workshop.lab.stock import Stock

Variants = Callable[[str], dict[str, dict[str, str]]]


class LearnerTested(Bench):
    """A bench where the learner's own tests and pages are run, in processes of their own."""

    def __init__(
        self,
        worker: WorkerPlacement,
        sources: Mapping[str, str],
        *,
        objective: str,
        seed: str,
        worlds: Worlds = lambda: (),
        stock: Stock | None = None,
        variants: Variants | None = None,
        tests: TestRunner | None = None,
    ) -> None:
        super().__init__(
            worker, sources, objective=objective, seed=seed, worlds=worlds, stock=stock
        )
        self._variants = variants
        # Of the whole run, if one is given: starting it takes longer than tests.
        self._tests = tests
        self._own_tests: TestRunner | None = None
        self._pages: list[PageProcess] = []

    def close(self) -> None:
        """Let the database go, and whatever else was started."""
        super().close()
        for each in (self._own_tests, *self._pages):
            if each is not None:
                each.close()

    def variants(self, kind: str) -> list[tuple[str, dict[str, str]]]:
        """The lesson's backends to run a learner's tests against, in random order, and each written
        another way every time.

        Args:
            kind: `right` or `broken`.
        """
        found = list(self._variants(kind).items()) if self._variants is not None else []
        self.random.shuffle(found)
        return [(name, self._rewritten(files)) for name, files in found]

    def _rewritten(self, files: Mapping[str, str]) -> dict[str, str]:
        return {name: rewritten(text, self.random) for name, text in files.items()}

    def run_learner_tests(
        self, files: Mapping[str, str], variant: Mapping[str, str] | None = None
    ) -> TestRun:
        """The learner's tests, run in the jail against their own backend or a variant of it.

        Args:
            files: test files, and those they import, by path.
            variant: files laid over the learner's backend.

        Raises:
            WorkerFailed: the process that ran them did not play by the rules.
        """
        if self._tests is None:
            self._tests = self._own_tests = TestRunner()
        own = {name: text for name, text in self.sources.items() if name.startswith("backend/")}
        return self._tests.run({**own, **(variant or {})}, files)

    def open_page(
        self, caller: Caller, module: str, *, latency_ms: float = 800, **options: Any
    ) -> SimulatedPage:
        """A page in front of the learner's backend, its code in the jail.

        Args:
            caller: who is signed in.
            module: where the page's code is, such as `tests.optimistic`.
            latency_ms: from a click to the server's answer.
            options: as for `SimulatedPage`.

        Raises:
            PageBroken: its code cannot be imported.
        """
        code = PageProcess(self.sources, module)
        self._pages.append(code)
        return SimulatedPage(code, PageServer(caller), latency_ms=latency_ms, **options)
