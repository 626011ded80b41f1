"""A figure is the median ratio of neighbouring runs, and the docs table says what it came to."""

from pathlib import Path

from benchmarks.figures import Figure, Target
from benchmarks.report import BEGIN, END, write_docs


def figure(headwater: list[float], baseline: list[float], target: Target) -> Figure:
    """A figure with made-up runs."""
    return Figure("push", "write to push", "us", target, headwater, baseline, "hand-written")


def test_the_figure_is_the_median_of_the_pairs() -> None:
    """One disturbed pair of runs does not move the figure."""
    runs = figure([10, 90, 30], [10, 10, 20], Target("<=", 2))
    assert runs.value == 1.5
    assert runs.ok


def test_a_count_is_judged_by_its_worst_round() -> None:
    """A single round with a wrong count misses the target."""
    counted = figure([1, 1.5, 1], [], Target("=", 1))
    assert counted.value == 1.5
    assert not counted.ok


def test_a_rate_below_its_bound_is_missed() -> None:
    """At least 0.7 is kept by 0.7 and not by 0.69."""
    assert figure([70], [100], Target(">=", 0.7)).ok
    assert not figure([69], [100], Target(">=", 0.7)).ok


def test_writing_docs_replaces_only_the_table(tmp_path: Path) -> None:
    """The text around the markers stays, the old table goes, and doing it twice changes nothing."""
    page = tmp_path / "benchmarks.md"
    page.write_text(f"Before\n\n{BEGIN}\nold\n{END}\n\nAfter\n", encoding="utf-8")
    write_docs([figure([150], [100], Target("<=", 2))], page)
    once = page.read_text(encoding="utf-8")
    assert once.startswith("Before\n")
    assert once.endswith("After\n")
    assert "old" not in once
    assert (
        "| write to push | 150 us | 100 us (hand-written) | 1.50 (1.50 to 1.50) | <= 2 | ok |"
        in once
    )
    write_docs([figure([150], [100], Target("<=", 2))], page)
    assert page.read_text(encoding="utf-8") == once
