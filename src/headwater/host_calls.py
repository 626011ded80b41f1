"""What a host tells of calls: how one ended, what one would have written, what is scheduled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.core import values
from headwater.core.calls import Outcome
from headwater.core.failures import Failure
from headwater.core.requests import Page, Range, Scan
from headwater.observed import Change, Seen


@dataclass(frozen=True)
class HostCall:
    """How one call ended, as the host counted it.

    Attributes:
        value: the decoded result, None for a failed call.
        entered: the arguments fitted and the handler was asked for.
        documents_read: documents given to the handler (a streamed scan counts as far as it came).
        documents_written: inserts, patches, replaces and deletes.
        ranges: the index ranges it asked for, in order.
        changes: what it committed, in order.
        seconds: how long it took, by the wall clock.
    """

    value: Any
    failure: Failure | None
    entered: bool
    documents_read: int
    documents_written: int
    log_lines: tuple[str, ...]
    ranges: tuple[Range, ...] = ()
    changes: tuple[Change, ...] = ()
    seconds: float = 0.0

    @classmethod
    def of(cls, outcome: Outcome, seen: Seen, seconds: float) -> HostCall:
        """What was seen of a call that ended."""
        return cls(
            value=None if outcome.value is None else values.decode(outcome.value),
            failure=outcome.failure,
            entered=outcome.entered,
            documents_read=seen.documents_read,
            documents_written=seen.documents_written,
            log_lines=tuple(outcome.log_lines),
            ranges=tuple(each.range for each in seen.requests if isinstance(each, Scan | Page)),
            changes=tuple(seen.changes),
            seconds=seconds,
        )

    @property
    def text(self) -> str:
        """The first line of why it failed, and what broke a rule; empty when it did not."""
        if self.failure is None:
            return ""
        line, finding = self.failure.message.splitlines()[0], self.failure.finding
        return line if finding is None else f"{line}: {finding.what}"

    @property
    def data(self) -> Any:
        """What an AppError carried; None for other endings."""
        failure = self.failure
        return None if failure is None or failure.data is None else values.decode(failure.data)

    @property
    def rule(self) -> str:
        """The id of the rule it broke while it ran; empty when it broke none."""
        finding = self.failure.finding if self.failure is not None and self.entered else None
        return "" if finding is None else finding.code


Wanted = tuple[str, Any, dict[str, Any] | None]
"""A call to make: its path, its arguments, and who makes it."""


@dataclass(frozen=True)
class HttpAnswer:
    """What an HTTP route answered.

    Attributes:
        status: such as 200.
        headers: by their names in lower case.
        body: as it came.
    """

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Job:
    """A scheduled call.

    Attributes:
        due_ms: when, ms since 1970.
        state: pending, inProgress, success, failed or canceled.
    """

    path: str
    arguments: dict[str, Any]
    due_ms: float
    state: str
