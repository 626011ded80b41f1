"""Each measure runs with tiny sizes, against real servers, and its counts are right."""

import os
import shutil

import pytest
from benchmarks import cohort
from benchmarks.figures import Figure
from benchmarks.measures import CONVEX_TEST, MEASURES, Bench, Sizes

TINY = Sizes(
    rounds=1,
    tests=3,
    long_tests=4,
    checked_files=3,
    push_commits=3,
    subscribers=5,
    fan_out_commits=3,
    few_keys=10,
    many_keys=40,
    connections=4,
    key_commits=3,
    clients=3,
    writes=4,
    toggles=3,
)


def tiny(measure: str) -> list[Figure]:
    """Run one measure with tiny sizes."""
    return MEASURES[measure](Bench(TINY, lambda: None))


@pytest.mark.parametrize(
    "measure",
    [
        "keys",
        "writers",
        "check",
        *(pytest.param(name, marks=pytest.mark.prove) for name in ("push", "fan-out", "watch")),
    ],
)
def test_a_measure_times_both_and_keeps_its_counts(measure: str) -> None:
    """Every timed figure has a run of each side, and every count is what it has to be."""
    figures = tiny(measure)
    for figure in figures:
        assert all(run > 0 for run in figure.baseline)
        assert len(figure.headwater) == TINY.rounds
        if not figure.baseline:
            assert figure.ok, f"{figure.name}: {figure.value:g}, not {figure.target}"
    assert any(figure.baseline for figure in figures)


@pytest.mark.skipif(
    shutil.which("node") is None or not (CONVEX_TEST / "node_modules").exists(),
    reason="the baseline convex-test needs node, and npm ci in benchmarks/convex_test",
)
def test_the_unit_test_loop_runs_on_both() -> None:
    """The same test passes on Headwater and on convex-test."""
    figures = tiny("unit-test")
    assert len(figures) == 2
    assert all(figure.value > 0 for figure in figures)


@pytest.mark.prove
@pytest.mark.skipif(
    os.environ.get("CI") != "true"
    and not (
        shutil.which("npm") and (shutil.which("chromium") or shutil.which("chromium-browser"))
    ),
    reason="two windows need chromium, and npm for the page",
)
def test_a_click_in_one_window_shows_in_both() -> None:
    """On the generated page and the hand-written one: ben's box follows ana's, after the click."""
    other, own = tiny("windows")
    for figure in (other, own):
        assert len(figure.headwater) == len(figure.baseline) == TINY.rounds
        assert all(run > 0 for run in figure.headwater + figure.baseline)
        assert figure.target is None


@pytest.mark.prove
def test_a_small_cohort_is_graded_to_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """The cohort's benchmark, with eight submissions, the last of them hostile."""
    cohort.main(8, 2)
    said = capsys.readouterr().out
    assert "8 submissions" in said
    assert "0 not to the end" in said
