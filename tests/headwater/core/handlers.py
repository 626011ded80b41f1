"""What the tests of the driver share: a call without an engine, and where a line is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from types import FunctionType
from typing import Any, cast

from headwater.core.driver import Outcome, Run

Handler = Callable[[Run], Coroutine[Any, Any, Any]]


class Answers:
    """Answers every request with itself, an exception by raising it; keeps the batches."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []

    @property
    def requests(self) -> list[Any]:
        """Every request, in the order they were answered."""
        return [request for batch in self.batches for request in batch]

    def __call__(self, batch: list[Any]) -> list[Outcome]:
        """Answers one batch."""
        self.batches.append(batch)
        return [
            Outcome(error=one) if isinstance(one, BaseException) else Outcome(one) for one in batch
        ]


def drive(handler: Handler, answers: Answers | None = None, limit_s: float | None = 10.0) -> Any:
    """Runs a handler as the mutation `tasks:go`; its argument is the run, which stands for ctx."""
    run = Run(answers or Answers(), function="tasks:go", kind="mutation", limit_s=limit_s)
    return run.drive(handler(run))


def line_of(function: object, text: str) -> str:
    """`file:line` of the one line of a function that holds `text`."""
    lines, first = inspect.getsourcelines(cast(FunctionType, function))
    (found,) = [first + number for number, line in enumerate(lines) if text in line]
    return f"{inspect.getsourcefile(cast(FunctionType, function))}:{found}"
