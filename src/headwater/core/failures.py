"""A failed call, as plain data: what its clients are told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from headwater.core.callsite import user_trace
from headwater.core.codecs import lower
from headwater.core.values import Int64, decode, encode
from headwater.core.violations import finding_of
from headwater.errors import (
    AppError,
    ArgumentValidationError,
    Conflict,
    DocumentInvalid,
    DocumentMissing,
    HeadwaterError,
    Overloaded,
    ReturnValidationError,
    SnapshotGone,
)
from headwater.rules import Finding

_TRACE_LINES = 8
_BUSY = (Conflict, Overloaded, SnapshotGone)
_WIRE_TEXTS = (DocumentInvalid, DocumentMissing, ReturnValidationError)
"""Errors whose sentence comes first whatever rule they break: clients know it by its words."""


@dataclass(frozen=True)
class Failure:
    """Why a call failed.

    Attributes:
        message: the first line and the trace, as developers read it.
        data: the encoded data of an AppError, None for any other error.
        overloaded: `Conflict`, `Overloaded` or `SnapshotGone`: the client should try again.
        tag: the error's class, for logs.
        finding: the rule it broke and all that is known of it; None for other failures.
    """

    message: str
    data: bytes | None = None
    overloaded: str | None = None
    tag: str = "Error"
    finding: Finding | None = None

    def titled(self, request_id: str) -> str:
        """The whole text for a client."""
        return f"{title(request_id)}\n{self.message}"


def title(request_id: str) -> str:
    """The first line of every failure; the request id finds the rest in the server's own log."""
    return f"[Request ID: {request_id}] Server Error"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """How much of a failure clients are told; the data of an AppError always.

    Attributes:
        whole: the message with its trace, and log lines too; else the title alone, for in
            production they may hold what is not for everybody.
    """

    whole: bool = True

    def message(self, failure: Failure, request_id: str) -> str:
        """The text for a client."""
        return failure.titled(request_id) if self.whole else title(request_id)

    def lines(self, log_lines: list[str]) -> list[str]:
        """The log lines for a client."""
        return log_lines if self.whole else []


WHOLE = Disclosure()
"""What developers are told, and whoever holds the admin key."""


class RemoteError(HeadwaterError):
    """What a handler in another process raised, worded there."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class RemoteAppError(AppError):
    """An AppError that a handler in another process raised."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(decode(failure.data or b"null"))
        self.failure = failure


def remote_error(failure: Failure) -> RemoteError | RemoteAppError:
    """The error to raise here for a failure of a handler in another process."""
    return RemoteError(failure) if failure.data is None else RemoteAppError(failure)


def failure_of(
    error: BaseException, root: Path | None = None, function: str = "", kind: str = ""
) -> Failure:
    """What a raised error tells the client.

    Args:
        error: what was raised.
        root: the project's folder; the trace shows files relative to it.
        function: the path of the function that was called.
        kind: query, mutation or action.
    """
    if isinstance(error, RemoteError | RemoteAppError):
        return error.failure
    busy = type(error).__name__ if isinstance(error, _BUSY) else None
    if isinstance(error, AppError):
        return _app_failure(error, root)
    name = error.shown_as if isinstance(error, HeadwaterError) else type(error).__name__
    finding = finding_of(error, root, function, kind)
    if name == "Exception" or (finding is not None and not isinstance(error, HeadwaterError)):
        name = "Error"
    text = f"Uncaught {name}: {_sentence(error, finding)}{_trace(error, root)}"
    return Failure(_sendable(text), None, busy, type(error).__name__, finding)


def _app_failure(error: AppError, root: Path | None) -> Failure:
    try:
        data = lower(error.data)
        encoded = encode(data)
    except Exception as refusal:  # whatever user code it met: a property that raises, a circle
        return Failure(
            _sendable(f"Uncaught Error: the data of AppError cannot be sent: {_said(refusal)}")
        )
    text = data if isinstance(data, str) else orjson.dumps(_shown(data)).decode()
    return Failure(f"Uncaught ConvexError: {text}{_trace(error, root)}", encoded, tag="AppError")


def _shown(value: Any) -> Any:
    """Data in a message: compact JSON, int64 as "123n"."""
    if isinstance(value, Int64):
        return f"{int(value)}n"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {key: _shown(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else value


def _sentence(error: BaseException, finding: Finding | None) -> str:
    if isinstance(error, ArgumentValidationError):
        return str(error)  # its caller's mistake, and nothing beside it
    if finding is not None and not isinstance(error, _WIRE_TEXTS):
        return finding.render()
    if isinstance(error, HeadwaterError):
        return error.message
    if isinstance(error, ValidationError):
        places = (
            f"{'.'.join(map(str, e['loc'])) or error.title}: {e['msg']}" for e in error.errors()
        )
        return f"{error.title} does not fit: " + "; ".join(places)
    return _said(error) or type(error).__name__


def _said(error: BaseException) -> str:
    """The error's own words; a class whose `__str__` fails must not take the engine with it."""
    try:
        return str(error)
    except Exception as second:
        return f"(its text cannot be had: {type(second).__name__} in __str__)"


def _sendable(text: str) -> str:
    """The text with lone surrogates written out: they are no Unicode and cannot be sent."""
    return text.encode(errors="backslashreplace").decode()


def _trace(error: BaseException, root: Path | None) -> str:
    lines = user_trace(error, root)[:_TRACE_LINES]
    return "".join(f"\n    at {name} ({file}:{line}:{col})" for name, file, line, col in lines)
