"""Figures that are read when somebody asks."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from headwater.metrics import Metrics
from tests.headwater.served import Served


def values(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a figure, by their labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    samples = (sample for family in families for sample in family.samples)
    return {tuple(s.labels.values()): s.value for s in samples if s.name == name}


def test_what_logs_have_lost_is_a_figure(served: Served) -> None:
    """Of each log by its name, as it is when somebody asks."""
    lost = {"output": 0, "drain": 3}
    metrics = Metrics(served.hub, lambda: lost)
    name = "headwater_log_records_dropped_total"
    assert values(metrics, name) == {("output",): 0, ("drain",): 3}
    lost["output"] = 2
    assert values(metrics, name)["output",] == 2


def test_buckets_hold_all_durations(served: Served) -> None:
    """Each counts what is not longer than its end, the last one everything; sums go over both
    outcomes.
    """
    for path in ("tasks:titles", "tasks:who", "tasks:titles"):
        served.post("/api/query", {"path": path, "args": {}})
    figures = served.hub.recorder.figures
    figures["tasks:titles", "query", True] = list(figures["tasks:titles", "query", False])
    counts = values(Metrics(served.hub), "headwater_call_duration_seconds_bucket")
    titles = [count for labels, count in counts.items() if labels[0] == "tasks:titles"]
    assert titles == sorted(titles)
    assert titles[-1] == 4


def test_connected_clients_are_a_figure(served: Served) -> None:
    """As many as there are now."""
    served.hub.sessions = 7
    assert values(Metrics(served.hub), "headwater_sessions") == {(): 7}
