"""Figures of a running server, in the form Prometheus reads.

Nothing is counted for this page but the calls (recorder.py): the rest is read, when somebody asks,
from what the engine counts anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from headwater.hub import Hub
from headwater.recorder import BOUNDS_S, READ, SUM_S, WRITTEN

_LABELS = ("function", "kind")


class Metrics:
    """The figures of one server.

    Args:
        hub: what is measured.
        drops: how many records each log has lost so far, by its name.
    """

    def __init__(self, hub: Hub, drops: Callable[[], dict[str, int]] = dict) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Figures(hub, drops))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def text(self) -> bytes:
        """The page."""
        return generate_latest(self._registry)


class _Figures(Collector):
    def __init__(self, hub: Hub, drops: Callable[[], dict[str, int]]) -> None:
        self._hub, self._drops = hub, drops

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: a registry that collects to find names would do it twice."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All figures as they are now."""
        yield from self._calls()
        yield from self._now()
        yield from self._so_far()

    def _calls(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "headwater_calls", "Calls that ended.", labels=(*_LABELS, "outcome")
        )
        read = CounterMetricFamily(
            "headwater_documents_read", "Documents that calls read.", labels=_LABELS
        )
        written = CounterMetricFamily(
            "headwater_documents_written", "Documents that calls wrote.", labels=_LABELS
        )
        seconds = HistogramMetricFamily(
            "headwater_call_duration_seconds", "How long calls took.", labels=_LABELS
        )
        together: dict[tuple[str, str], list[float]] = {}
        for (path, kind, failed), figure in list(self._hub.recorder.figures.items()):
            count = sum(figure[:SUM_S])
            calls.add_metric((path, kind, "error" if failed else "success"), count)
            other = together.get((path, kind), [0.0] * len(figure))
            together[path, kind] = [a + b for a, b in zip(figure, other, strict=True)]
        for labels, figure in together.items():
            ends = [str(bound) for bound in BOUNDS_S] + ["+Inf"]
            buckets = list(zip(ends, accumulate(figure[:SUM_S]), strict=True))
            seconds.add_metric(labels, buckets, figure[SUM_S])
            read.add_metric(labels, figure[READ])
            written.add_metric(labels, figure[WRITTEN])
        yield from (calls, seconds, read, written)

    def _now(self) -> Iterator[Metric]:
        hub = self._hub
        gauges = {
            "sessions": ("Connected clients.", hub.sessions),
            "subscriptions": ("Queries kept alive.", len(hub.engine.subscriptions)),
            "queue_depth": ("Work that waits for the engine.", hub.waiting),
            "actions_running": ("Actions under way.", hub.actions.host.running),
        }
        for name, (help_, value) in gauges.items():
            yield GaugeMetricFamily(f"headwater_{name}", help_, value=value)

    def _so_far(self) -> Iterator[Metric]:
        done = self._hub.engine.counters
        counters = {
            "commits": ("Commits.", done.commits),
            "batches": ("Batches that the engine took.", done.batches),
            "batch_works": ("Work in these batches: divide for the mean size.", done.works),
            "query_runs": ("Runs of queries, the subscribed ones too.", done.query_runs),
            "results_encoded": ("New results of subscriptions.", done.results_encoded),
            "transitions": ("Transitions sent to clients.", done.transitions),
        }
        for name, (help_, value) in counters.items():
            yield CounterMetricFamily(f"headwater_{name}", help_, value=value)
        drops = CounterMetricFamily(
            "headwater_log_records_dropped", "Records that a log lost.", labels=("log",)
        )
        for log, count in self._drops().items():
            drops.add_metric((log,), count)
        yield drops
