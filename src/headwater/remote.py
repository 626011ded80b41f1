"""What the host and a worker say to each other: frames of JSON, requests and answers as plain data.

    host                               worker
    {"load": folder, "limits",     ->  {"manifest": {...}} or {"raise": {...}}
     "environment": {...},
     "world" where it is another}
    {"call": n, "path",            ->  {"call": n, "ask": {...}, "used": {...}}, any number of them,
     "arguments", "now", "seed",       each answered by {"answer": {...}}, then
     "tables", "nested"}               {"call": n, "return": value, "used", "log"}
                                       or {"call": n, "raise": {...}, "used", "log"}

An action and an HTTP route are open beside other calls, and may ask several things at once:

    {"action": n, "path",          ->  {"action": n, "id": k, "ask": {...}}, any number of them,
     "arguments", "identity",          each answered by {"action": n, "id": k, "answer": {...}}
     "seed", "now", "tables"}          when the host sees fit, then
                                       {"action": n, "return": value, "log"}
                                       or {"action": n, "raise": {...}, "log"}

A frame is its length in four bytes, then JSON. A host believes nothing it reads here: what does not
have the shape written down in this file is a MalformedFrame. While the worker waits for an answer
it may be given a nested call instead, which it finishes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

import orjson

from headwater import errors, remote_requests
from headwater.core import requests, values
from headwater.core.documents import Stored
from headwater.core.failures import Failure
from headwater.core.pages import PageBatch
from headwater.core.scans import Batch
from headwater.errors import AppError, HeadwaterError, InvalidValue
from headwater.rules import RULES, Finding

LENGTH_BYTES: Final = 4
_TAG_CHARS: Final = 80
_PAGE_FACTS: Final = ("done", "cursor", "split_cursor", "status")
_NOT_REVIVED: Final = ("RuleViolation", "BackendRefused", "HeadwaterError")
"""Errors that have facts of their own, and the base of all."""


class MalformedFrame(Exception):
    """The other side said something that has no meaning."""


def frame(message: Mapping[str, Any]) -> bytes:
    """A message as it goes over the pipe."""
    body = orjson.dumps(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def parse(body: bytes) -> dict[str, Any]:
    """The message in a frame's body.

    Raises:
        MalformedFrame: it is no JSON object.
    """
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedFrame(f"not JSON: {error}") from None
    checked: dict[str, Any] = typed(message, dict, "a message")
    return checked


def value_out(value: Any) -> orjson.Fragment:
    """A normalized value as a part of a message."""
    return orjson.Fragment(values.encode(value))


def value_in(part: Any) -> Any:
    """A value out of a message.

    Raises:
        MalformedFrame: it is none.
    """
    try:
        return values.from_json(part)
    except (InvalidValue, RecursionError) as error:
        raise MalformedFrame(str(error)) from None


def typed(value: Any, kinds: Any, what: str) -> Any:
    """The value, if it is of this kind (a boolean is no number).

    Raises:
        MalformedFrame: it is not.
    """
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
        raise MalformedFrame(f"{what} is {type(value).__name__}")
    return value


# Requests: worker to host. Each field has a way out and a way in.

_Way = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def _plain(*kinds: type) -> _Way:
    def taken(value: Any) -> Any:
        return typed(value, kinds if len(kinds) > 1 else kinds[0], "a field")

    return (lambda value: value), taken


def _texts_in(value: Any) -> list[str]:
    return [typed(item, str, "a name") for item in typed(value, list, "a list of names")]


def _object_in(value: Any) -> dict[str, Any]:
    checked: dict[str, Any] = typed(value_in(value), dict, "an object")
    return checked


def _index_value_out(value: Any) -> Any:
    return {"absent": True} if value is values.UNSET else {"value": value_out(value)}


def _index_value_in(part: Any) -> Any:
    given = typed(part, dict, "an index value")
    return value_in(given["value"]) if "value" in given else values.UNSET


def _bound_out(bound: requests.Bound | None) -> Any:
    return bound and [bound.field, _index_value_out(bound.value), bound.inclusive]


def _bound_in(part: Any) -> requests.Bound | None:
    if part is None:
        return None
    field, value, inclusive = typed(part, list, "a bound")
    return requests.Bound(typed(field, str, "a field"), _index_value_in(value), inclusive is True)


def _range_out(wanted: requests.Range) -> dict[str, Any]:
    return {
        "table": wanted.table,
        "index": wanted.index,
        "equal": [[name, _index_value_out(value)] for name, value in wanted.equal],
        "lower": _bound_out(wanted.lower),
        "upper": _bound_out(wanted.upper),
        "descending": wanted.descending,
        "system": wanted.system,
        **({"text": wanted.text} if isinstance(wanted, requests.Search) else {}),
    }


def _range_in(part: Any) -> requests.Range:
    given = typed(part, dict, "a range")
    equal = [
        (typed(name, str, "a field"), _index_value_in(value)) for name, value in given["equal"]
    ]
    found = requests.Range(
        table=typed(given["table"], str, "a table"),
        index=typed(given["index"], str, "an index"),
        equal=equal,
        lower=_bound_in(given["lower"]),
        upper=_bound_in(given["upper"]),
        descending=given["descending"] is True,
        system=given["system"] is True,
    )
    if "text" not in given:
        return found
    text = typed(given["text"], str, "a text")
    return requests.Search(found.table, found.index, equal, system=found.system, text=text)


_NONE = type(None)
_TEXT, _COUNT, _FLAG = _plain(str), _plain(int), _plain(bool)
_NUMBER = _plain(int, float)
_MAYBE_TEXT, _MAYBE_COUNT = _plain(str, _NONE), _plain(int, _NONE)
_OBJECT: _Way = (value_out, _object_in)
_BYTES: _Way = (value_out, lambda part: typed(value_in(part), bytes, "a piece of a file"))
_RANGE: _Way = (_range_out, _range_in)

_FIELDS: Final[dict[type, dict[str, _Way]]] = {
    requests.Get: {"id": _TEXT, "table": _MAYBE_TEXT, "system": _FLAG},
    requests.Insert: {"table": _TEXT, "document": _OBJECT},
    requests.Patch: {
        "id": _TEXT, "changes": _OBJECT, "removed": (list, _texts_in), "table": _MAYBE_TEXT,
    },
    requests.Replace: {"id": _TEXT, "document": _OBJECT, "table": _MAYBE_TEXT},
    requests.Delete: {"id": _TEXT, "table": _MAYBE_TEXT},
    requests.Scan: {"range": _RANGE, "limit": _MAYBE_COUNT, "stream": _FLAG},
    requests.ScanMore: {"scan": (lambda scan: scan.number, _COUNT[1]), "limit": _COUNT},
    requests.Page: {
        "range": _RANGE, "num_items": _COUNT, "cursor": _MAYBE_TEXT, "end_cursor": _MAYBE_TEXT,
        "maximum_rows_read": _MAYBE_COUNT, "maximum_bytes_read": _MAYBE_COUNT, "filtered": _FLAG,
    },
    requests.PageEnd: {"scan": (lambda scan: scan.number, _COUNT[1]), "kept": _COUNT},
    requests.Identity: {},
    requests.UploadUrl: {},
    requests.FileUrl: {"id": _TEXT},
    requests.FileFacts: {"id": _TEXT},
    requests.DeleteFile: {"id": _TEXT},
    requests.Schedule: {"path": _TEXT, "arguments": _OBJECT, "at_ms": _NUMBER},
    requests.Cancel: {"id": _TEXT},
    requests.RunFunction: {"path": _TEXT, "kind": _TEXT, "arguments": _OBJECT},
    remote_requests.Now: {},
    remote_requests.SendPiece: {"file": _COUNT, "content": _BYTES},
    remote_requests.KeepFile: {
        "file": _COUNT, "content_type": _MAYBE_TEXT, "sha256": _MAYBE_TEXT,
    },
    remote_requests.OpenFile: {"id": _TEXT, "operation": _TEXT},
    remote_requests.NextPiece: {"file": _COUNT},
}  # fmt: skip
_BY_NAME: Final = {kind.__name__: kind for kind in _FIELDS}


def request_out(request: Any) -> dict[str, Any]:
    """A request as plain data."""
    ways = _FIELDS[type(request)]
    given = {each.name: ways[each.name][0](getattr(request, each.name)) for each in fields(request)}
    return {"ask": type(request).__name__, **given}


def request_in(part: Any) -> Any:
    """The request in a message; the scan of a ScanMore is its number, for the host to look up.

    Raises:
        MalformedFrame: it is none.
    """
    given = typed(part, dict, "a request")
    kind = _BY_NAME.get(typed(given.get("ask"), str, "a request's name"))
    if kind is None:
        raise MalformedFrame("an unknown request")
    try:
        return kind(**{name: way[1](given[name]) for name, way in _FIELDS[kind].items()})
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise MalformedFrame(f"a malformed {kind.__name__}: {error}") from None


# Answers: host to worker.


class RemoteScan:
    """A scan that is open at the host, as the worker sees it.

    Attributes:
        used: how many of its documents the handler has looked at.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.used = 0


def stored_out(stored: Stored) -> list[Any]:
    """A document for the worker, under its table's name."""
    return [stored.table, orjson.Fragment(stored.body)]


def stored_in(part: Any) -> Stored:
    """A document from the host."""
    table, document = part
    return Stored.of(table, values.from_json(document))


def answer_out(answer: Any, scan: int | None = None) -> dict[str, Any]:
    """What the database answered, as plain data; `scan` is the number of an open scan."""
    if isinstance(answer, Batch):
        documents = [stored_out(stored) for stored in answer.documents]
        return {"batch": documents, "done": answer.done, "scan": scan}
    if isinstance(answer, PageBatch):
        page = {name: getattr(answer, name) for name in _PAGE_FACTS}
        return {"page": [stored_out(stored) for stored in answer.documents], **page}
    if isinstance(answer, Stored):
        return {"document": stored_out(answer)}
    return {"value": value_out(answer)}


def answer_in(part: dict[str, Any], scans: dict[int, RemoteScan]) -> Any:
    """What the host answered; `scans` are those this call has open.

    Raises:
        HeadwaterError: what the database raised.
    """
    if "error" in part:
        raise revived(**part["error"])
    if "batch" in part:
        scan = scans.setdefault(part["scan"], RemoteScan(part["scan"]))
        documents = [stored_in(item) for item in part["batch"]]
        return Batch(scan, documents, part["done"])  # type: ignore[arg-type]
    if "page" in part:
        documents = [stored_in(item) for item in part["page"]]
        return PageBatch(documents, **{name: part[name] for name in _PAGE_FACTS})
    return stored_in(part["document"]) if "document" in part else values.from_json(part["value"])


# Errors, both ways.


def error_out(error: HeadwaterError) -> dict[str, Any]:
    """An error of the database, for the handler to meet as the same class."""
    data = value_out(error.data) if isinstance(error, AppError) else None
    tag = "AppError" if data is not None else type(error).__name__
    told = {"tag": tag, "text": str(error), "data": data}
    return {"error": {**told, "rule": error.rule, "fix": error.fix}}


def revived(tag: str, text: str, data: Any, rule: str = "", fix: str = "") -> HeadwaterError:
    """The error again, without running its class's own constructor."""
    kind = getattr(errors, tag, HeadwaterError)
    if tag in _NOT_REVIVED or not (isinstance(kind, type) and issubclass(kind, HeadwaterError)):
        return HeadwaterError(text)
    made: HeadwaterError = kind.__new__(kind)
    Exception.__init__(made, text)
    if isinstance(made, AppError):
        made.data = values.from_json(data)
    return made.by_rule(rule, fix) if rule else made


def failure_out(failure: Failure) -> dict[str, Any]:
    """Why a handler failed, as plain data."""
    data = None if failure.data is None else orjson.Fragment(failure.data)
    about = {"message": failure.message, "overloaded": failure.overloaded, "tag": failure.tag}
    finding = failure.finding and failure.finding.to_json()
    return {**about, "data": data, "app": failure.data is not None, "finding": finding}


def failure_in(part: Any) -> Failure:
    """Why a handler failed, as its worker says.

    Raises:
        MalformedFrame: it says so badly.
    """
    given = typed(part, dict, "a failure")
    message = typed(given.get("message"), str, "a failure's message")
    busy = given.get("overloaded")
    data = values.encode(value_in(given.get("data"))) if given.get("app") is True else None
    tag = typed(given.get("tag", "Error"), str, "an error's class")[:_TAG_CHARS]
    busy = busy if busy in ("Conflict", "Overloaded") else None
    return Failure(message, data, busy, tag, _finding_in(given.get("finding")))


def _finding_in(part: Any) -> Finding | None:
    """A finding, if the worker names a rule there is; what it says of it is only shown."""
    given = typed(part or {}, dict, "a finding")
    if given.get("code") not in RULES:
        return None
    kinds = {each.name: int if each.name in ("line", "col") else str for each in fields(Finding)}
    try:
        return Finding(**{name: typed(given[name], kind, name) for name, kind in kinds.items()})
    except KeyError as error:
        raise MalformedFrame(f"a finding without {error}") from None
