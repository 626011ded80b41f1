"""What the records of calls tell of the code, each with the rule it is about and what to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from headwater.rules import RULES
from headwater.settings import Limits

Call = Mapping[str, Any]

_SCAN_DOCUMENTS = 100
"""Documents read by one call from where on it is looked at; below it any way of reading is fast."""

_SCAN_TIMES = 10
"""Bytes read for each byte given, from where on a call counts as a scan."""

_AGAIN = {"Conflict", "Overloaded", "SnapshotGone"}
_MEASURES = ("documents_read", "bytes_read", "documents_written", "bytes_written")


def insights(calls: Iterable[Call], limits: Limits | None = None) -> list[dict[str, Any]]:
    """What is to be said of these calls, the worst first, once for each function.

    Args:
        calls: records of calls, as `headwater logs --json` prints them.
        limits: of the deployment.
    """
    by_function: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        by_function[str(call["function"])].append(call)
    found = []
    for function, own in by_function.items():
        for look in (_again, _near(limits or Limits()), _scans, _failures):
            told = look(own)
            if told is not None:
                found.append({"function": function, "calls": len(own), **told})
    return sorted(found, key=lambda one: -one["count"])


def _told(kind: str, count: int, what: str, fix: str, code: str = "") -> dict[str, Any]:
    rule = RULES.get(code)
    about = {"kind": kind, "count": count, "what": what, "fix": fix}
    return about | ({"rule": rule.id, "title": rule.title} if rule is not None else {})


def _again(calls: list[Call]) -> dict[str, Any] | None:
    """Calls that were refused for now, and that clients sent again."""
    refused = [call for call in calls if call.get("error_code") in _AGAIN]
    if not refused:
        return None
    codes = ", ".join(sorted({str(call["error_code"]) for call in refused}))
    return _told(
        "retries",
        len(refused),
        f"{len(refused)} of {len(calls)} calls were refused for now ({codes}) and sent again",
        "read and write fewer documents that other mutations write too: a document of its own for "
        "each counter, batches of large jobs",
    )


def _near(limits: Limits) -> Callable[[list[Call]], dict[str, Any] | None]:
    def look(calls: list[Call]) -> dict[str, Any] | None:
        most = {name: max(call.get(name, 0) for call in calls) for name in _MEASURES}
        near = [
            f"{name} {most[name]:g} of {getattr(limits, name):g}"
            for name, line in zip(_MEASURES, limits.near, strict=True)
            if most[name] > line
        ]
        if not near:
            return None
        return _told(
            "near_limit",
            sum(
                any(call.get(n, 0) > line for n, line in zip(_MEASURES, limits.near, strict=True))
                for call in calls
            ),
            f"came near a limit: {', '.join(near)}",
            "read a narrower range of an index, or take a batch and schedule the rest",
            "HW401",
        )

    return look


def _scans(calls: list[Call]) -> dict[str, Any] | None:
    """Calls that read much more than they gave."""
    scans = [call for call in calls if _is_scan(call)]
    if not scans:
        return None
    worst = max(scans, key=lambda call: call["documents_read"])
    return _told(
        "scan",
        len(scans),
        f"read {worst['documents_read']} documents ({worst['bytes_read']} bytes) to give "
        f"{worst.get('bytes_returned', 0)} bytes",
        "read by an index whose fields are what you filter on, with .take(n); keep counts and "
        "sums in a document of their own",
        "HW401",
    )


def _is_scan(call: Call) -> bool:
    if call["kind"] not in ("query", "mutation") or call["documents_read"] < _SCAN_DOCUMENTS:
        return False
    given = call.get("bytes_returned", 0) + call.get("bytes_written", 0)
    return bool(call["bytes_read"] >= _SCAN_TIMES * given)


def _failures(calls: list[Call]) -> dict[str, Any] | None:
    failed = [
        call
        for call in calls
        if call.get("outcome") == "error" and call.get("error_code") not in _AGAIN
    ]
    if not failed:
        return None
    text = str(failed[-1].get("error", ""))
    code = next((code for code in RULES if code in text), "")
    return _told(
        "failures",
        len(failed),
        f"{len(failed)} of {len(calls)} calls failed, the last one with: {text.splitlines()[0]}"
        if text
        else f"{len(failed)} of {len(calls)} calls failed",
        f"explain {code} says how" if code else "`logs` with status error has them whole",
        code,
    )
