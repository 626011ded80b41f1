"""A learner's own tests, run in the jail against one backend after the other.

Each backend lies in the same folder for as long as its run takes: the process that runs the tests
sees the one they are run against, and none of the others. What it says is believed no further than
a learner's word about their own tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from headwater.pipe import WorkerLimits
from headwater.remote import MalformedFrame, typed
from headwater_workshop.sandbox.program import JailedProgram

RUN_S = 20.0  # one run; a suite is asked to take less than 5 s
_MEMORY_MB = 1_024


@dataclass(frozen=True)
class TestRun:
    """What became of a learner's tests on one backend.

    Attributes:
        passed, failed, skipped: names of tests.
        errors: why a file could not be run at all.
        replaced: by the path of a function of the backend, the tests that put a mock in its place.
        seconds: what the run took of a processor, loading the backend included.
        slept_s: what it wanted to sleep.
        printed: the end of what the process wrote.
    """

    __test__ = False

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: tuple[str, ...]
    errors: tuple[str, ...]
    replaced: Mapping[str, tuple[str, ...]]
    seconds: float
    slept_s: float
    printed: str

    @property
    def accepts(self) -> bool:
        """Whether the tests find nothing wrong with this backend; no test at all finds nothing."""
        return not self.failed and not self.errors


class TestRunner:
    """A jailed process that runs tests, started when it is first needed."""

    __test__ = False

    def __init__(self, limits: WorkerLimits | None = None) -> None:
        limits = limits or WorkerLimits(call_s=RUN_S)
        self._program = JailedProgram("headwater.suite_worker", "your tests", limits, _MEMORY_MB)

    def run(self, backend: Mapping[str, str], tests: Mapping[str, str]) -> TestRun:
        """Runs every `test_*.py` among the tests against a backend.

        Args:
            backend: files of `backend/`, by path.
            tests: files of `tests/`: those that are run, and those they import.

        Raises:
            WorkerFailed: the process ended, was silent for too long or spoke out of turn.
        """
        self._program.lay({**backend, **tests})
        files = sorted(name for name in tests if PurePosixPath(name).name.startswith("test_"))
        answer = self._program.ask({"folder": str(self._program.folder), "files": files})
        try:
            return _test_run(answer, self._program.printed)
        except MalformedFrame as error:
            raise self._program.failed(error) from None

    def close(self) -> None:
        """Ends the process, and takes the folder away."""
        self._program.close()


def _test_run(answer: dict[str, Any], printed: str) -> TestRun:
    outcomes = typed(answer.get("tests"), dict, "the tests")
    named = {
        outcome: tuple(sorted(str(name) for name, each in outcomes.items() if each == outcome))
        for outcome in ("passed", "failed", "skipped")
    }
    replaced = typed(answer.get("replaced"), dict, "what was replaced")
    return TestRun(
        **named,
        errors=tuple(map(str, typed(answer.get("errors"), list, "the errors"))),
        replaced={str(path): tuple(map(str, tests)) for path, tests in replaced.items()},
        seconds=float(typed(answer.get("seconds"), float, "seconds")),
        slept_s=float(typed(answer.get("slept_s"), float, "seconds slept")),
        printed=printed,
    )
