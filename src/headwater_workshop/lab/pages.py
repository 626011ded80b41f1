"""The code of a page, run in the jail, in front of the learner's backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headwater.errors import HeadwaterError
from headwater.pipe import WorkerLimits
from headwater_workshop.lab.calls import Caller
from headwater_workshop.sandbox.program import JailedProgram

_LIMITS = WorkerLimits(call_s=10.0)
_MEMORY_MB = 768


class PageBroken(HeadwaterError):
    """The code of a page raised an error, or did what no page can."""


class Refused(HeadwaterError):
    """The backend refused a mutation of the page."""


class PageProcess:
    """Runs the code of a page in the jail.

    Args:
        files: the project's files that it may import, by path.
        module: where the page's code is, such as `tests.optimistic`.
    """

    def __init__(self, files: Mapping[str, str], module: str) -> None:
        self._module = module
        self._program = JailedProgram("headwater.page_worker", "your page", _LIMITS, _MEMORY_MB)
        self._program.lay(files)

    def run(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Do what an order says.

        Raises:
            PageBroken: the code raised an error.
            WorkerFailed: the process did not play by the rules.
        """
        first = {"load": str(self._program.folder), "module": self._module}
        answer: dict[str, Any] = self._program.ask(order, first=first)
        if "error" in answer:
            raise PageBroken(str(answer["error"]))
        return answer

    def close(self) -> None:
        """End the process."""
        self._program.close()


class PageServer:
    """The learner's backend, as a page of one person reaches it."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def query(self, path: str, arguments: dict[str, Any], /) -> Any:
        """The result of a query."""
        return self._caller.query(path, arguments)

    def mutation(self, path: str, arguments: dict[str, Any], /) -> Any:
        """Runs a mutation."""
        attempt = self._caller.attempt(path, arguments)
        if not attempt.ok:
            raise Refused(attempt.text)
        return attempt.value
