"""The ring of records: bounded, read by cursor, written to without waiting."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from headwater.core.failures import Failure
from headwater.core.transaction import Counters
from headwater.records import Records, ServerMessages
from headwater.settings import Limits


def add(records: Records, *functions: str, **more: Any) -> None:
    """Adds a query of each function."""
    facts: dict[str, Any] = {"took_ms": 1.0, "counters": None, "log_lines": [], "failure": None}
    facts["request_id"] = ""
    for function in functions:
        records.add(0.0, "query", function, **{**facts, **more})


def functions(records: Records, cursor: int = 0, most: int = 100) -> list[str]:
    """What a reader gets."""
    return [record.function for record in records.since(cursor, most).records]


def test_a_reader_goes_on_where_it_was() -> None:
    """By its cursor, so many at a time; nothing twice."""
    records = Records(Limits())
    add(records, "a", "b", "c")
    first = records.since(0, 2)
    assert ([r.function for r in first.records], first.cursor, first.missed) == (["a", "b"], 2, 0)
    assert functions(records, first.cursor) == ["c"]
    assert functions(records, 99) == []


@pytest.mark.parametrize(
    ("limits", "line"), [(Limits(log_records=2), "x"), (Limits(log_bytes=2_000), "x" * 600)]
)
def test_old_records_make_room_and_are_counted(limits: Limits, line: str) -> None:
    """By number and by bytes: two are kept of three, and a reader is told of the one it missed."""
    records = Records(limits)
    add(records, "a", "b", log_lines=[line])
    assert functions(records) == ["a", "b"]
    add(records, "c", log_lines=[line])
    reading = records.since(0, 10)
    assert ([r.function for r in reading.records], reading.missed) == (["b", "c"], 1)


def test_a_record_larger_than_all_that_may_be_is_let_go() -> None:
    """It is counted as missed; the ring goes on."""
    records = Records(Limits(log_bytes=1_000))
    add(records, "large", log_lines=["x" * 2_000])
    add(records, "small")
    assert functions(records) == ["small"]
    assert records.since(0, 10).missed == 1


def test_every_record_has_a_request_id_of_its_own() -> None:
    """A failure's is the one its client was told; a success's is the same for all readers."""
    records = Records(Limits())
    add(records, "a", "b")
    add(records, "c", failure=Failure("Uncaught Error: no"), request_id="0123456789abcdef")
    ids = [record.request_id for record in records.since(0, 10).records]
    assert ids[2] == "0123456789abcdef"
    assert len(set(ids)) == 3
    assert all(len(one) == 16 for one in ids)
    assert ids == [record.request_id for record in records.since(0, 10).records]


def test_a_record_says_all_that_is_known_of_a_call() -> None:
    """As one JSON object, without secrets; what there is not is not there."""
    records = Records(Limits())
    failure = Failure("Uncaught ValueError: key", tag="ValueError")
    counters = Counters(1, 2, 3, 4)
    add(records, "a:b", counters=counters, log_lines=["[LOG] 'key'"], failure=failure)
    add(records, "a:c")
    failed, well = [r.to_json(lambda t: t.replace("key", "*")) for r in records.since(0, 9).records]
    assert failed | {"request_id": ""} == {
        "time": "1970-01-01T00:00:00.000Z",
        "level": "error",
        "request_id": "",
        "function": "a:b",
        "kind": "query",
        "duration_ms": 1.0,
        "documents_read": 1,
        "bytes_read": 2,
        "documents_written": 3,
        "bytes_written": 4,
        "bytes_returned": 0,
        "outcome": "error",
        "error_code": "ValueError",
        "error": "Uncaught ValueError: *",
        "log_lines": ["[LOG] '*'"],
    }
    assert (well["outcome"], well["level"]) == ("success", "info")
    assert not {"error", "error_code", "log_lines"} & set(well)


def test_what_the_server_says_is_a_record_too() -> None:
    """With its level and its traceback."""
    records = Records(Limits())
    logger = logging.Logger("headwater.test")
    logger.addHandler(ServerMessages(records))
    logger.debug("too small")
    logger.warning("careful %s", "now")
    try:
        raise ValueError("no")
    except ValueError:
        logger.exception("lost")
    careful, lost = (record.to_json(str) for record in records.since(0, 9).records)
    assert (careful["level"], careful["message"]) == ("warning", "careful now")
    assert lost["level"] == "error"
    assert lost["message"].startswith("lost\nTraceback")


def test_a_waiter_is_woken_by_a_record() -> None:
    """Each of them."""
    records = Records(Limits())
    first, second = records.waiter(), records.waiter()
    add(records, "a")
    assert first.is_set()
    assert second.is_set()
