"""Cheats of many kinds against lesson 1: none is graded as right, and none does harm."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest

from headwater.pipe import WorkerLimits
from headwater_workshop.grader import grader
from headwater_workshop.lessons import find_lesson
from headwater_workshop.proof.cheats import CHEATS, Cheat
from headwater_workshop.report import GradeResult
from headwater_workshop.sandbox import jail
from headwater_workshop.stages import stage, variant, write

IMPATIENT = WorkerLimits(load_s=3.0, call_s=0.7)
LONGEST_S = 60


def graded(
    tree: dict[str, bytes],
    folder: Path,
    lesson: str = "1",
    limits: WorkerLimits | None = IMPATIENT,
) -> GradeResult:
    """Grade files as a project; without limits as patiently as learners are graded."""
    write(tree, folder)
    return grader.grade(folder, find_lesson(lesson), limits=limits)


@pytest.fixture(scope="module", autouse=True)
def control(tmp_path_factory: pytest.TempPathFactory) -> GradeResult:
    """What the cheats are laid over, with its body: unless it passes, no failure says anything."""
    result = graded(stage(1, (find_lesson("1"),)), tmp_path_factory.mktemp("control"))
    assert result.passed, result.to_json()
    return result


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_does_not_pass(name: str, tmp_path: Path) -> None:
    """No cheat meets all objectives, none leaves a file, and each ends in bounded time."""
    project = CHEATS[name].project()
    started = monotonic()
    result = graded(project, tmp_path)
    assert monotonic() - started < LONGEST_S
    assert not result.passed
    assert result.count("failed") >= 1
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(project)


def test_being_lazy_without_a_cheat_fails_only_in_the_work(tmp_path: Path) -> None:
    """The other control: the checks of declarations pass, those of the work do not."""
    result = graded(Cheat().project(), tmp_path)
    failed = {check.name for check in result.checks if check.outcome == "failed"}
    passed = {check.name for check in result.checks if check.outcome == "passed"}
    assert failed == {"good_call", "signed_in"} - passed
    assert {"loads", "contract", "bad_titles", "bad_priorities", "table_says_it"} <= passed


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("exit-in-call-with-fake-output", "exit code 0"),
        ("loop-that-catches-everything", "no answer in time"),
        ("output-flood", "printed more than"),
        ("reply-to-nothing", "no reply"),
        ("sleep-on-import", "no answer in time"),
    ],
)
def test_a_process_that_misbehaves_is_named(name: str, word: str, tmp_path: Path) -> None:
    """The finding says what the process did and what to do instead."""
    limits = IMPATIENT if word == "no answer in time" else None
    result = graded(CHEATS[name].project(), tmp_path, limits=limits)
    findings = [check.finding for check in result.checks if check.finding is not None]
    assert any(found.code == "G101" and word in found.what for found in findings), findings


def test_a_run_is_given_up_after_some_ended_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that has to be ended again and again does not cost the whole wall clock."""
    monkeypatch.setattr(grader, "WORKER_FAILURES", 1)
    result = graded(CHEATS["exit-in-call-with-fake-output"].project(), tmp_path)
    reasons = [check.reason for check in result.checks if check.outcome == "skipped"]
    assert reasons.count("the process had to be ended 1 times") == len(reasons) > 0


def test_read_counters_cannot_be_forged(tmp_path: Path) -> None:
    """A handler that scans the table and reports that it looked at nothing is counted all the
    same.
    """
    tree = variant(find_lesson("2"), "cheat/forged-counters")
    result = graded(tree, tmp_path, "2", limits=None)  # it reads 10,000 documents
    failed = {check.name: check.finding for check in result.checks if check.finding is not None}
    assert list(failed) == ["reads"], result.to_json()
    assert failed["reads"] is not None
    assert failed["reads"].code == "Q101"


def test_the_result_says_how_far_it_can_be_trusted(control: GradeResult) -> None:
    """Every result carries the jail's level, and that it was made on the learner's own machine."""
    assert (control.jail, control.trust) == (jail.jail_level(), "local")
