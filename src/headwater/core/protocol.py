"""The sync protocol: text to typed client messages, server messages to text. Pure.

Message names and fields are Convex's (npm `convex`, src/browser/sync/protocol.ts).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from headwater.core.manifest import canonical_path
from headwater.core.values import from_json
from headwater.errors import InvalidValue, ProtocolError


@dataclass(frozen=True, slots=True)
class Connect:
    """The first message of a connection."""

    session_id: str
    max_observed_ts: int


@dataclass(frozen=True, slots=True)
class Authenticate:
    """A change of identity; the token is proven before it reaches a session."""

    base_version: int
    token_type: str
    token: str
    impersonating: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class AddQuery:
    """A query the client wants to follow."""

    query_id: int
    path: str
    arguments: Any
    journal: str | None


@dataclass(frozen=True, slots=True)
class RemoveQuery:
    """A query the client no longer follows."""

    query_id: int


@dataclass(frozen=True, slots=True)
class ModifyQuerySet:
    """The next version of the client's query set."""

    base_version: int
    new_version: int
    modifications: tuple[AddQuery | RemoveQuery, ...]


@dataclass(frozen=True, slots=True)
class MutationRequest:
    """A mutation to run; re-sent under the same id until its transition has arrived."""

    request_id: int
    path: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """An action to run, at most once."""

    request_id: int
    path: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class Event:
    """Telemetry of the client; ignored."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A mutation or action whose message is larger than one may be; not read any further."""

    request_id: int
    bytes: int
    is_action: bool = False


_REQUEST_HEAD = re.compile(r'\{"type": ?"(Mutation|Action)", ?"requestId": ?(\d{1,15}),')
_MEMBER = re.compile(r'"(\w{1,20})":(null|\d{1,15}|"[^"\\]{0,1000}")')
_REQUEST_TAIL = re.compile(rf"\],((?:{_MEMBER.pattern},?){{2,5}})\}}$")


def too_large(text: str | bytes) -> TooLarge:
    """Which request a message is that is too large to be read.

    Only its ends are looked at: npm's client writes the arguments last, the PyPI client first.

    Raises:
        ProtocolError: it is no request; its sender could only send it again, for ever.
    """
    text = text if isinstance(text, str) else text.decode(errors="replace")
    head, tail = _REQUEST_HEAD.match(text), _REQUEST_TAIL.search(text[-2000:])
    if head is not None:
        return TooLarge(int(head[2]), len(text), head[1] == "Action")
    ends = dict(_MEMBER.findall(tail[1])) if tail is not None else {}
    if ends.get("type") in ('"Mutation"', '"Action"') and ends.get("requestId", '"').isdigit():
        return TooLarge(int(ends["requestId"]), len(text), ends["type"] == '"Action"')
    raise ProtocolError(f"a message of {len(text)} bytes is too large; send less at once")


ClientMessage = Connect | Authenticate | ModifyQuerySet | MutationRequest | ActionRequest | Event


def parse(text: str | bytes) -> ClientMessage:
    """A client's message.

    Raises:
        ProtocolError: not JSON, an unknown type, or a member that is missing or of a wrong type.
    """
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ProtocolError(f"the message is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ProtocolError(f"a message is a JSON object, not {type(data).__name__}")
    kind = data.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise ProtocolError(
            f"unknown message type {str(kind)[:40]!r}; known: {', '.join(_READERS)}"
        )
    try:
        return reader(data)
    except InvalidValue as error:
        raise ProtocolError(f"{kind}: {error}") from None


def _member(data: dict[str, Any], name: str, kind: type) -> Any:
    value = data.get(name)
    if isinstance(value, float) and kind is int and value.is_integer():
        value = int(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ProtocolError(
            f"{data.get('type')}: member `{name}` must be {kind.__name__}, "
            f"not {type(value).__name__}"
        )
    if isinstance(value, int) and not 0 <= value < 2**53:
        raise ProtocolError(f"{data.get('type')}: member `{name}` is out of range")
    return value


def _arguments(data: dict[str, Any]) -> Any:
    args = data.get("args")
    if not isinstance(args, list) or len(args) > 1:
        raise ProtocolError(f"{data.get('type')}: `args` must be an array of one object")
    if data.get("componentPath"):
        raise ProtocolError("componentPath: components are not supported")
    return from_json(args[0]) if args else {}


def _connect(data: dict[str, Any]) -> Connect:
    observed = data.get("maxObservedTimestamp")
    session_id = _member(data, "sessionId", str)
    if not 8 <= len(session_id) <= 64:
        raise ProtocolError("Connect: sessionId must be a uuid")
    return Connect(session_id, 0 if observed is None else decode_ts(observed))


def _authenticate(data: dict[str, Any]) -> Authenticate:
    kind = data.get("tokenType")
    if kind not in ("User", "Admin", "None"):
        raise ProtocolError('Authenticate: tokenType must be "User", "Admin" or "None"')
    token = _member(data, "value", str) if kind != "None" else ""
    impersonating = data.get("impersonating")
    if impersonating is not None and not isinstance(impersonating, dict):
        raise ProtocolError("Authenticate: impersonating must be an object")
    return Authenticate(_member(data, "baseVersion", int), kind, token, impersonating)


def _modify(data: dict[str, Any]) -> ModifyQuerySet:
    listed = _member(data, "modifications", list)
    return ModifyQuerySet(
        _member(data, "baseVersion", int),
        _member(data, "newVersion", int),
        tuple(_modification(item) for item in listed),
    )


def _modification(item: Any) -> AddQuery | RemoveQuery:
    kind = item.get("type") if isinstance(item, dict) else None
    if kind == "Remove":
        return RemoveQuery(_member(item, "queryId", int))
    if kind != "Add":
        raise ProtocolError(f'ModifyQuerySet: a modification is "Add" or "Remove", not {kind!r}')
    journal = item.get("journal")
    if journal is not None and not isinstance(journal, str):
        raise ProtocolError("Add: journal must be a string or null")
    path = canonical_path(_member(item, "udfPath", str))
    return AddQuery(_member(item, "queryId", int), path, _arguments(item), journal)


def _mutation(data: dict[str, Any]) -> MutationRequest:
    path = canonical_path(_member(data, "udfPath", str))
    return MutationRequest(_member(data, "requestId", int), path, _arguments(data))


def _action(data: dict[str, Any]) -> ActionRequest:
    path = canonical_path(_member(data, "udfPath", str))
    return ActionRequest(_member(data, "requestId", int), path, _arguments(data))


_READERS: dict[str, Callable[[dict[str, Any]], ClientMessage]] = {
    "Connect": _connect,
    "Authenticate": _authenticate,
    "ModifyQuerySet": _modify,
    "Mutation": _mutation,
    "Action": _action,
    "Event": lambda _data: Event(),
}


def encode_ts(ts: int) -> str:
    """A timestamp in nanoseconds as the base64 of its eight little-endian bytes."""
    return base64.b64encode(ts.to_bytes(8, "little")).decode()


def decode_ts(text: Any) -> int:
    """A timestamp from its base64.

    Raises:
        ProtocolError: not eight bytes in base64.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raw = b""
    if len(raw) != 8:
        raise ProtocolError("maxObservedTimestamp must be eight bytes in base64")
    return int.from_bytes(raw, "little")


class Version(NamedTuple):
    """What a client has seen: its query set, its identity, and the database at one timestamp."""

    query_set: int = 0
    identity: int = 0
    ts: int = 0

    def text(self) -> str:
        """The version as JSON."""
        ts = encode_ts(self.ts)
        return f'{{"querySet":{self.query_set},"identity":{self.identity},"ts":"{ts}"}}'


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def query_updated(query_id: int, body: str) -> str:
    """A modification: a new result. `body`, from `result_body`, is shared by all subscribers."""
    return f'{{"type":"QueryUpdated","queryId":{query_id},{body}'


def query_failed(query_id: int, body: str) -> str:
    """A modification: a query that raised. `body` is what `failure_body` made."""
    return f'{{"type":"QueryFailed","queryId":{query_id},{body}'


def query_removed(query_id: int) -> str:
    """A modification: the end of a query."""
    return f'{{"type":"QueryRemoved","queryId":{query_id}}}'


def result_body(value: bytes, log_lines: list[str], journal: str | None) -> str:
    """The part of QueryUpdated all subscribers share."""
    rest = f'"logLines":{_dumps(log_lines)},"journal":{_dumps(journal)}}}'
    return f'"value":{value.decode()},{rest}'


def failure_body(
    message: str, data: bytes | None, log_lines: list[str], journal: str | None
) -> str:
    """The part of QueryFailed all subscribers share; `errorData` is there only for an AppError."""
    rest = f'"logLines":{_dumps(log_lines)},"journal":{_dumps(journal)}'
    return f'"errorMessage":{_dumps(message)},{rest}{_error_data(data)}}}'


def _error_data(data: bytes | None) -> str:
    return "" if data is None else f',"errorData":{data.decode()}'


def transition(start: Version, end: Version, modifications: Iterable[str]) -> str:
    """The step of a client from one version to the next."""
    return (
        f'{{"type":"Transition","startVersion":{start.text()},"endVersion":{end.text()},'
        f'"modifications":[{",".join(modifications)}]}}'
    )


def mutation_response(request_id: int, value: bytes, ts: int, log_lines: list[str]) -> str:
    """A mutation that was applied."""
    return (
        f'{{"type":"MutationResponse","requestId":{request_id},"success":true,'
        f'"result":{value.decode()},"ts":"{encode_ts(ts)}","logLines":{_dumps(log_lines)}}}'
    )


def mutation_failed(request_id: int, message: str, data: bytes | None, log_lines: list[str]) -> str:
    """A mutation that was not applied."""
    return (
        f'{{"type":"MutationResponse","requestId":{request_id},"success":false,'
        f'"result":{_dumps(message)},"ts":null,"logLines":{_dumps(log_lines)}{_error_data(data)}}}'
    )


def action_response(request_id: int, value: bytes, log_lines: list[str]) -> str:
    """An action that returned."""
    return (
        f'{{"type":"ActionResponse","requestId":{request_id},"success":true,'
        f'"result":{value.decode()},"logLines":{_dumps(log_lines)}}}'
    )


def action_failed(request_id: int, message: str, data: bytes | None, log_lines: list[str]) -> str:
    """An action that raised."""
    return (
        f'{{"type":"ActionResponse","requestId":{request_id},"success":false,'
        f'"result":{_dumps(message)},"logLines":{_dumps(log_lines)}{_error_data(data)}}}'
    )


def auth_error(message: str, base_version: int, attempted: bool) -> str:
    """A token that is not accepted, or no longer."""
    return _dumps(
        {
            "type": "AuthError",
            "error": message,
            "baseVersion": base_version,
            "authUpdateAttempted": attempted,
        }
    )


def fatal_error(message: str) -> str:
    """The end of a connection the client must not open again."""
    return _dumps({"type": "FatalError", "error": message})


def encode_journal(end_cursors: list[str]) -> str | None:
    """A journal: the end cursors of the pages a query gave, None when it gave none."""
    return _dumps(end_cursors) if end_cursors else None


def decode_journal(journal: str | None) -> list[str] | None:
    """The end cursors of a journal; a journal that is not ours counts as none."""
    try:
        cursors = orjson.loads(journal) if journal else None
    except orjson.JSONDecodeError:
        return None
    if not isinstance(cursors, list) or not all(isinstance(c, str) for c in cursors):
        return None
    return cursors


PING = '{"type":"Ping"}'
"""Keeps a quiet connection open."""


def chunks(text: str, transition_id: str, limit_bytes: int = 5_000_000) -> list[str]:
    """A Transition too large for one message, as TransitionChunk messages."""
    raw = text.encode()
    parts = []
    start = 0
    while start < len(raw):
        end = min(start + limit_bytes, len(raw))
        while end < len(raw) and raw[end] & 0xC0 == 0x80:  # not inside a character
            end -= 1
        parts.append(raw[start:end].decode())
        start = end
    return [
        _dumps(
            {
                "type": "TransitionChunk",
                "chunk": part,
                "partNumber": number,
                "totalParts": len(parts),
                "transitionId": transition_id,
            }
        )
        for number, part in enumerate(parts)
    ]
