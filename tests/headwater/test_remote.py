"""Frames between host and worker: what goes in comes out, and nothing else gets in."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import remote
from headwater.core import requests
from headwater.core.values import UNSET, Int64
from headwater.errors import AppError, DocumentMissing, HeadwaterError
from headwater.remote import MalformedFrame

SCALARS = st.none() | st.booleans() | st.floats() | st.text() | st.binary()
INT64S = st.integers(-(2**63), 2**63 - 1).map(Int64)
KEYS = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
VALUES = st.recursive(
    SCALARS | INT64S,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)
BOUNDS = st.none() | st.builds(requests.Bound, KEYS, VALUES | st.just(UNSET), st.booleans())
RANGES = st.builds(
    requests.Range,
    table=KEYS,
    index=KEYS,
    equal=st.lists(st.tuples(KEYS, VALUES | st.just(UNSET)), max_size=3),
    lower=BOUNDS,
    upper=BOUNDS,
    descending=st.booleans(),
)
SEARCHES = st.builds(
    requests.Search,
    table=KEYS,
    index=KEYS,
    equal=st.lists(st.tuples(KEYS, VALUES | st.just(UNSET)), max_size=3),
    text=st.text(),
)
REQUESTS = st.one_of(
    st.builds(requests.Get, st.text(), st.none() | KEYS),
    st.builds(requests.Insert, KEYS, OBJECTS),
    st.builds(requests.Patch, st.text(), OBJECTS, st.lists(KEYS), st.none() | KEYS),
    st.builds(requests.Replace, st.text(), OBJECTS, st.none() | KEYS),
    st.builds(requests.Delete, st.text()),
    st.builds(requests.Scan, RANGES | SEARCHES, st.none() | st.integers(0, 99), st.booleans()),
    st.builds(requests.Page, RANGES | SEARCHES, st.integers(1, 9), st.none() | st.text()),
    st.just(requests.Identity()),
    st.just(requests.UploadUrl()),
    st.builds(requests.FileUrl, st.text()),
    st.builds(requests.FileFacts, st.text()),
    st.builds(requests.DeleteFile, st.text()),
    st.builds(requests.RunFunction, KEYS, st.sampled_from(["query", "mutation"]), OBJECTS),
)


def over_the_pipe(message: dict[str, Any]) -> dict[str, Any]:
    """A message after it was sent."""
    framed = remote.frame(message)
    assert int.from_bytes(framed[:4], "big") == len(framed) - 4
    return remote.parse(framed[4:])


@given(REQUESTS)
def test_a_request_survives_the_pipe(request: Any) -> None:
    """Every request is the same on the other side, values, absent ones and types included."""
    sent = {"ask": remote.request_out(request)}
    came = remote.request_in(over_the_pipe(sent)["ask"])
    assert type(came) is type(request)
    assert type(getattr(came, "range", None)) is type(getattr(request, "range", None))
    assert remote.frame({"ask": remote.request_out(came)}) == remote.frame(sent)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(["Get", "Scan", "ScanMore", "Page", "Patch", "Insert", "Boom"]), JSON)
def test_no_request_gets_in_that_is_none(name: str, rest: Any) -> None:
    """Whatever a worker sends becomes a request of the right shape or a MalformedFrame."""
    part = {**rest, "ask": name} if isinstance(rest, dict) else rest
    with pytest.raises(MalformedFrame):
        remote.request_in(part)


@given(st.binary(max_size=30))
def test_no_message_gets_in_that_is_none(body: bytes) -> None:
    """Bytes that are no JSON object are refused."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    if isinstance(parsed, dict):
        return
    with pytest.raises(MalformedFrame):
        remote.parse(body)


@pytest.mark.parametrize(
    "part",
    [
        {"ask": "Get", "id": 3, "table": None},
        {"ask": "Get", "id": "x"},
        {"ask": "ScanMore", "scan": True, "limit": 1},
        {"ask": "Scan", "range": {"table": "t"}, "limit": 1, "stream": False},
        {"ask": "Insert", "table": "t", "document": [1]},
        {"ask": "Patch", "id": "x", "changes": {}, "removed": [1], "table": None},
    ],
)
def test_a_field_of_another_type_is_refused(part: dict[str, Any]) -> None:
    """Types are exact: a number is no text, a boolean no number, a missing field no None."""
    with pytest.raises(MalformedFrame):
        remote.request_in(part)


def test_a_value_nested_too_deep_is_refused() -> None:
    """A deep value is refused before anything walks it without a limit."""
    deep: Any = 1.0
    for _ in range(200):
        deep = [deep]
    with pytest.raises(MalformedFrame):
        remote.value_in(deep)


def test_an_error_is_the_same_class_on_the_other_side() -> None:
    """A handler catches what it would catch in the host's process."""
    sent = over_the_pipe(remote.error_out(DocumentMissing("Patch", "abc")))
    with pytest.raises(DocumentMissing, match="Patch on nonexistent document ID abc"):
        remote.answer_in(sent, {})


def test_an_app_error_keeps_its_data() -> None:
    """Data of an AppError crosses with its types."""
    error = remote.revived(**over_the_pipe(remote.error_out(AppError({"n": Int64(3)})))["error"])
    assert isinstance(error, AppError)
    assert error.data == {"n": Int64(3)}


@pytest.mark.parametrize("tag", ["Exception", "annotations", "Sequence", "RuleViolation", "x"])
def test_a_name_that_is_no_error_gives_the_base_class(tag: str) -> None:
    """A tag from the wire never reaches anything but the errors of this package."""
    assert type(remote.revived(tag, "text", None)) is HeadwaterError
