"""What the records of calls tell of the code."""

from __future__ import annotations

from typing import Any

from headwater.mcp.insights import insights
from headwater.rules import RULES
from headwater.settings import Limits


def call(function: str = "tasks:list", **changes: Any) -> dict[str, Any]:
    """A record of a call that did nothing remarkable."""
    usual = {
        "function": function,
        "kind": "query",
        "documents_read": 3,
        "bytes_read": 300,
        "documents_written": 0,
        "bytes_written": 0,
        "bytes_returned": 250,
        "outcome": "success",
    }
    return usual | changes


def test_usual_calls_tell_nothing() -> None:
    """Small reads, and large ones that are given to the client, are as they should be."""
    large = call(documents_read=2000, bytes_read=100_000, bytes_returned=90_000)
    assert insights([call(), large]) == []


def test_a_scan_is_told_with_its_rule() -> None:
    """Much is read and little given: the worst call is named, and what to write instead."""
    scan = call(documents_read=5000, bytes_read=500_000, bytes_returned=20)
    (told,) = insights([call(), scan, scan | {"documents_read": 6000}])
    assert (told["kind"], told["count"], told["rule"]) == ("scan", 2, "HW401")
    assert told["title"] == RULES["HW401"].title
    assert "6000 documents" in told["what"]
    assert "index" in told["fix"]


def test_a_call_near_a_limit_is_told() -> None:
    """At the share of the limit from which on the server itself warns."""
    limits = Limits(documents_read=100)
    near = call(documents_read=81, bytes_returned=300)
    (told,) = insights([near], limits)
    assert told["kind"] == "near_limit"
    assert "documents_read 81 of 100" in told["what"]
    assert insights([near | {"documents_read": 80}], limits) == []


def test_calls_that_were_sent_again_are_told() -> None:
    """A conflict is no mistake of a call's own, so it is told apart from failures."""
    conflict = call("a:add", kind="mutation", outcome="error", error_code="Conflict")
    (told,) = insights([conflict, conflict, call("a:add")])
    assert (told["kind"], told["count"], told["calls"]) == ("retries", 2, 3)


def test_failures_name_the_rule_they_broke() -> None:
    """The rule is read from the error's own text; the worst function comes first."""
    broken = call("a:b", outcome="error", error_code="RuleBroken", error="HW203 calls httpx.post()")
    other = call("c:d", outcome="error", error_code="ValueError", error="no\nat c (d.py:1:2)")
    first, second = insights([other, broken, broken])
    assert (first["function"], first["rule"]) == ("a:b", "HW203")
    assert "explain HW203" in first["fix"]
    assert second["what"].endswith("with: no")
    assert "rule" not in second
