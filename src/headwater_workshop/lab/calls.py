"""What a check sees of one call, and who makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from headwater.host import Change, Followed, FunctionKind, HostCall, Range


@dataclass(frozen=True)
class Attempt:
    """One call and how it ended; of an action, with all that it ran.

    Attributes:
        ok: it returned.
        entered: its arguments fitted, so the handler was asked for.
        text: the error's first line, for messages, and what broke a rule.
        reads: documents the host handed to the handler.
        writes: documents it inserted, patched, replaced and deleted, kept or not.
        ranges: the index ranges it asked for, in order.
        data: what an AppError carried; None for other endings.
        rule: the id of the rule it broke while it ran (`HW201`); empty when it broke none.
        changes: the documents it committed, in order.
        log_lines: what it printed and logged.
        seconds: how long it took, by the wall clock.
    """

    ok: bool
    value: Any
    text: str
    entered: bool
    reads: int
    writes: int
    ranges: tuple[Range, ...]
    data: Any = None
    rule: str = ""
    changes: tuple[Change, ...] = ()
    log_lines: tuple[str, ...] = ()
    seconds: float = 0.0

    @classmethod
    def of(cls, ended: HostCall) -> Attempt:
        """What the host saw of a call."""
        return cls(
            ok=ended.failure is None,
            value=ended.value,
            text=ended.text,
            entered=ended.entered,
            reads=ended.documents_read,
            writes=ended.documents_written,
            ranges=ended.ranges,
            data=ended.data,
            rule=ended.rule,
            changes=ended.changes,
            log_lines=ended.log_lines,
            seconds=ended.seconds,
        )


@dataclass(frozen=True)
class Response:
    """What an HTTP route answered.

    Attributes:
        status: such as 200; 500 when the handler failed.
        headers: by their names in lower case.
        body: as it came.
        attempt: what the host saw of the handler.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    attempt: Attempt

    def json(self) -> Any:
        """The body, parsed; None when it is no JSON."""
        try:
            return orjson.loads(self.body)
        except ValueError:
            return None


class Calling(Protocol):
    """Where a caller's calls go."""

    def call(
        self,
        path: str,
        kind: FunctionKind,
        arguments: Mapping[str, Any],
        identity: dict[str, Any] | None,
    ) -> Attempt:
        """One call."""

    def send(
        self, method: str, path: str, options: dict[str, Any], identity: dict[str, Any] | None
    ) -> Response:
        """One request to an HTTP route."""

    def value_of(self, path: str, attempt: Attempt) -> Any:
        """The value of a call that had to work."""


class Caller:
    """A person, or nobody, who calls public functions.

    Attributes:
        identity: who, as plain data; None for nobody.
    """

    def __init__(self, lab: Calling, identity: dict[str, Any] | None) -> None:
        self._lab, self.identity = lab, identity

    def query(self, path: str, arguments: Mapping[str, Any]) -> Any:
        """The result of a query; a call that fails fails the check."""
        return self._lab.value_of(path, self.attempt(path, arguments, kind="query"))

    def mutation(self, path: str, arguments: Mapping[str, Any]) -> Any:
        """The result of a mutation; a call that fails fails the check."""
        return self._lab.value_of(path, self.attempt(path, arguments))

    def action(self, path: str, arguments: Mapping[str, Any]) -> Any:
        """The result of an action; a call that fails fails the check. While it runs, time goes on
        as outside.
        """
        return self._lab.value_of(path, self.attempt(path, arguments, kind="action"))

    def attempt(
        self, path: str, arguments: Mapping[str, Any], *, kind: FunctionKind = "mutation"
    ) -> Attempt:
        """A call that may fail."""
        return self._lab.call(path, kind, arguments, self.identity)

    def http(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        json: Any = None,
    ) -> Response:
        """A request to a route of `backend/routes.py`, signed in as this caller is.

        Args:
            method: such as `POST`.
            path: such as `/hooks/payments?test=1`.
            headers: further ones.
            body: as it is, in place of `json`.
            json: the body, as JSON.
        """
        options = {"headers": headers, "content": body, "json": json}
        given = {name: value for name, value in options.items() if value is not None}
        return self._lab.send(method, path, given, self.identity)


class Following:
    """A query kept alive, as a connected client has it."""

    def __init__(self, followed: Followed) -> None:
        self._followed = followed

    @property
    def value(self) -> Any:
        """The newest result; None before the first."""
        return self.updates[-1] if self.updates else None

    @property
    def updates(self) -> list[Any]:
        """Every result that was pushed, oldest first."""
        return self._followed.updates

    @property
    def runs(self) -> int:
        """How often the query was run since it is followed."""
        return self._followed.runs

    @property
    def failed(self) -> str:
        """Why the newest run failed, in one line; empty when it did not."""
        failure = self._followed.failure
        return "" if failure is None else failure.message.partition("\n")[2].partition("\n")[0]

    def close(self) -> None:
        """End the subscription."""
        self._followed.close()
