"""The recorder: told of every call that has ended, it keeps a record and counts.

It runs on the engine's thread for every call, so it does no more than it must: what is shown of a
record is worked out by who reads it.
"""

from __future__ import annotations

from bisect import bisect_left
from time import monotonic
from typing import Final

from headwater.core.calls import NO_FUNCTION, Call, Outcome
from headwater.core.engine import Engine
from headwater.records import Records

BOUNDS_S: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
)  # fmt: skip
"""Upper ends of the buckets that durations are counted in; one more holds the rest."""

_REST: Final = len(BOUNDS_S) + 1
SUM_S, READ, WRITTEN = _REST, _REST + 1, _REST + 2
"""Where a figure has the sum of durations, documents read, documents written."""

METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
"""What requests to HTTP routes are counted by; their paths hold ids."""

Figures = dict[tuple[str, str, bool], list[float]]
"""Counted calls by path, kind and whether they failed: a bucket each, then the sums."""


class Recorder:
    """Keeps and counts the calls of one server.

    Args:
        records: where they are kept.

    Attributes:
        began: when the call that runs on the engine began.
        figures: what was counted.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        self.began = 0.0
        self.figures: Figures = {}

    def attach(self, engine: Engine) -> None:
        """Has an engine, and the actions beside it, tell of every call."""
        clock = engine.database.clock
        now_ms, add, figures = clock.now_ms, self.records.add, self.figures

        def before_call(_call: Call) -> None:
            self.began = monotonic()

        def on_call(call: Call, outcome: Outcome) -> None:
            kind, path, failure = call.kind, call.path, outcome.failure
            took_s = outcome.took_s if outcome.took_s is not None else monotonic() - self.began
            counters = outcome.counters
            if outcome.value is not None:
                counters.bytes_returned = len(outcome.value)
            add(
                now_ms(), kind, path, took_s * 1e3, counters, outcome.log_lines, failure,
                outcome.request_id,
            )  # fmt: skip
            if kind == "http":
                method = path.partition(" ")[0]
                path = method if method in METHODS else NO_FUNCTION
            elif failure is not None and failure.tag == "FunctionNotFound":
                path = NO_FUNCTION
            figure = figures.get((path, kind, failure is not None))
            if figure is None:
                figure = figures[path, kind, failure is not None] = [0] * (_REST + 3)
            figure[bisect_left(BOUNDS_S, took_s)] += 1
            figure[SUM_S] += took_s
            figure[READ] += counters.documents_read
            figure[WRITTEN] += counters.documents_written

        engine.before_call, engine.on_call = before_call, on_call
