"""The grader on whole projects: right ones pass, wrong ones get their message, seeds repeat."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from headwater.worker_placement import WorkerPlacement
from headwater_workshop.checks import Check, Lab
from headwater_workshop.grader import grader
from headwater_workshop.lab.lab import CheckFailed
from headwater_workshop.lab.learner_process import LearnerProcess
from headwater_workshop.lessons import Lesson, load_lessons
from headwater_workshop.report import CheckResult, GradeResult
from headwater_workshop.sandbox import jail
from headwater_workshop.stages import stage, started, variant, write

# What the grader itself promises, seen on two lessons; tests/lessons proves each of them.
LESSONS = {lesson.label: lesson for lesson in load_lessons() if lesson.number <= 2}
RIGHT = [(label, name) for label, lesson in LESSONS.items() for name in lesson.right]
WRONG = [(label, name) for label, lesson in LESSONS.items() for name in lesson.wrong]


def graded(tree: dict[str, bytes], lesson: Lesson, folder: Path, seed: int = 1) -> GradeResult:
    """Grade files as a project."""
    write(tree, folder)
    return grader.grade(folder, lesson, seed=seed)


def failed(result: GradeResult) -> list[CheckResult]:
    """The checks that failed, each with its finding."""
    return [check for check in result.checks if check.outcome == "failed"]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("label", LESSONS)
def test_the_solution_passes_whatever_the_seed(label: str, seed: int, tmp_path: Path) -> None:
    """Random inputs never make a right solution fail."""
    lesson = LESSONS[label]
    result = graded(stage(lesson.number), lesson, tmp_path, seed)
    assert result.passed, failed(result)
    assert all(objective.met for objective in result.objectives)


@pytest.mark.parametrize(("label", "name"), RIGHT)
def test_another_right_solution_passes(label: str, name: str, tmp_path: Path) -> None:
    """The checks ask for behaviour, not for the solution's own way."""
    lesson = LESSONS[label]
    result = graded(variant(lesson, f"right/{name}"), lesson, tmp_path)
    assert result.passed, failed(result)


@pytest.mark.parametrize("label", LESSONS)
def test_the_starter_fails_with_something_to_do(label: str, tmp_path: Path) -> None:
    """What a learner begins with is not done, and each finding says what to do next."""
    lesson = LESSONS[label]
    found = failed(graded(started(lesson), lesson, tmp_path))
    assert found
    for check in found:
        assert check.finding is not None
        assert all((check.finding.what, check.finding.fix, check.finding.more))


@pytest.mark.parametrize(("label", "name"), WRONG)
def test_a_wrong_solution_gets_its_message(label: str, name: str, tmp_path: Path) -> None:
    """Each wrong solution fails with its own code and phrase, and with no other code."""
    lesson = LESSONS[label]
    expected = lesson.expected(name)
    found = [c.finding for c in failed(graded(variant(lesson, f"wrong/{name}"), lesson, tmp_path))]
    assert {finding.code for finding in found if finding} == {expected.code}
    assert any(finding and expected.phrase in finding.what for finding in found)


@pytest.mark.parametrize("label", LESSONS)
def test_a_finding_gives_no_hidden_input_away(label: str, tmp_path: Path) -> None:
    """The same wrong answer is worded without the random texts it was asked with."""
    lesson = LESSONS[label]
    words = []
    for seed in (1, 2):
        found = failed(graded(started(lesson), lesson, tmp_path, seed))
        words.append([str(check.finding) for check in found])
    without_numbers = [["".join(c for c in t if not c.isdigit()) for t in w] for w in words]
    assert without_numbers[0] == without_numbers[1]


def test_a_check_is_skipped_when_what_it_needs_did_not_pass(tmp_path: Path) -> None:
    """Dependent checks are not failed twice for one fault; the reason names the other check."""
    lesson = LESSONS["L1"]
    result = graded(variant(lesson, "wrong/V001-any-arguments"), lesson, tmp_path)
    skipped = {check.name: check.reason for check in result.checks if check.outcome == "skipped"}
    assert skipped["bad_titles"] == "needs: An unknown field is refused"
    assert not result.passed


def test_a_backend_that_does_not_load_skips_all_checks(tmp_path: Path) -> None:
    """One finding names file, line and reason; nothing else is asked."""
    lesson = LESSONS["L1"]
    tree = stage(1) | {"backend/tasks.py": b"import headwater\nthis is no python\n"}
    result = graded(tree, lesson, tmp_path)
    (loads,) = failed(result)
    assert loads.finding is not None
    assert "backend/tasks.py:2" in loads.finding.what
    assert result.count("skipped") == len(result.checks) - 1


def test_only_python_files_of_the_backend_are_read(tmp_path: Path) -> None:
    """No link, no configuration, no test, nothing hidden, nothing large is copied."""
    outside = tmp_path / "outside.py"
    outside.write_text("secret = 1")
    write(
        {
            "project/backend/tasks.py": b"x = 1",
            "project/backend/deep/more.py": b"y = 1",
            "project/backend/conftest.py": b"",
            "project/backend/.hidden/z.py": b"",
            "project/backend/data.json": b"{}",
            "project/backend/large.py": b"#" * (grader.FILE_BYTES_AT_MOST + 1),
            "project/pytest.ini": b"",
            "project/tests/test_x.py": b"",
        },
        tmp_path,
    )
    (tmp_path / "project" / "backend" / "link.py").symlink_to(outside)
    sources = grader.read_sources(tmp_path / "project")
    assert sources == {"backend/deep/more.py": "y = 1", "backend/tasks.py": "x = 1"}


def test_odd_files_are_not_read(tmp_path: Path) -> None:
    """Names that are no text, links to themselves, pipes, folders called x.py, and what lies too
    deep: none of it stops the grader, and the rest is read.
    """
    backend = tmp_path / "backend"
    (backend / "folder.py").mkdir(parents=True)
    (backend / "folder.py" / "inside.py").write_text("x = 1")
    (backend / "itself.py").symlink_to("itself.py")
    (backend / "up").symlink_to("..")
    os.mkfifo(backend / "pipe.py")
    (Path(os.fsdecode(os.fsencode(backend) + b"/\xff.py"))).write_text("")
    deep = backend.joinpath(*["d"] * (grader.DEPTH_AT_MOST + 1))
    deep.mkdir(parents=True)
    (deep / "x.py").write_text("")
    (deep.parent / "y.py").write_text("")
    near = f"backend/{'d/' * grader.DEPTH_AT_MOST}y.py"
    assert sorted(grader.read_sources(tmp_path)) == sorted([near, "backend/folder.py/inside.py"])


def test_a_folder_that_is_a_link_to_somebody_elses_is_not_read(tmp_path: Path) -> None:
    """A submission is what lies in it: not the tests of the one beside it."""
    files = {"ana/tests/test_x.py": b"x = 1", "ben/backend/a.py": b"", "ben/own/b.py": b""}
    write(files, tmp_path)
    (tmp_path / "ben" / "tests").symlink_to("../ana/tests")
    (tmp_path / "ben" / "api").symlink_to("own")
    assert sorted(grader.read_sources(tmp_path / "ben", ("backend", "tests", "api"))) == [
        "api/b.py",
        "backend/a.py",
    ]


def test_a_lesson_about_tests_reads_them_and_the_worker_does_not_get_them(tmp_path: Path) -> None:
    """They are data for the check; the process that runs handlers never sees their text."""
    files = {"backend/tasks.py": b"x = 1", "tests/test_it.py": b"y = 1", "tests/conftest.py": b""}
    write(files, tmp_path)
    sources = grader.read_sources(tmp_path, ("backend", "tests"))
    assert sorted(sources) == sorted(files)
    with grader._copied(sources) as folder:
        assert [each.name for each in folder.rglob("*.py")] == ["tasks.py"]


def test_the_fingerprint_changes_with_the_sources() -> None:
    """Two results of the same files can be recognised as such."""
    one = grader.fingerprint({"a": "x", "b": "y"})
    assert one == grader.fingerprint({"b": "y", "a": "x"})
    assert one != grader.fingerprint({"a": "xb", "b": "y"})


def test_a_check_that_raises_is_no_pass(tmp_path: Path) -> None:
    """What our own check cannot read is a finding, never silence."""

    def broken(_lab: Lab) -> None:
        raise TypeError("unreadable")

    write(stage(1), tmp_path)
    worker = _worker(tmp_path)
    try:
        result = grader._run(partial(Lab, worker, {}), Check("broken", "L1.1", "t", (), broken), 1)
    finally:
        worker.close()
    assert result.outcome == "failed"
    assert result.finding is not None
    assert "unreadable" in result.finding.what


def test_a_check_that_keeps_the_grader_busy_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host's own work for a check has a limit too, though the check swallows its signal."""

    def busy(_lab: Lab) -> None:
        with suppress(Exception):
            while True:
                pass

    write(stage(1), tmp_path)
    monkeypatch.setattr(grader, "CHECK_LIMIT_S", 0.2)
    worker = _worker(tmp_path)
    try:
        result = grader._run(partial(Lab, worker, {}), Check("busy", "L1.1", "t", (), busy), 1)
    finally:
        worker.close()
    assert result.finding is not None
    assert (result.outcome, result.finding.code) == ("failed", "G102")


def test_one_seed_asks_the_same_questions(tmp_path: Path) -> None:
    """The seed in a result makes the same inputs again."""
    write(stage(1), tmp_path)
    worker, heard = _worker(tmp_path), []
    try:
        for _ in range(2):
            lab = Lab(worker, {}, objective="L1.1", seed="5:some_check")
            heard.append((lab.random.random(), lab.insert("projects", _project())))
            lab.close()
    finally:
        worker.close()
    assert heard[0] == heard[1]


def test_a_lab_fails_a_check_whose_table_does_not_take_its_documents(tmp_path: Path) -> None:
    """A schema that lost a field of an earlier lesson is named, not met as a crash."""
    write(stage(1), tmp_path)
    worker = _worker(tmp_path)
    lab = Lab(worker, {}, objective="L1.1", seed="1")
    try:
        with pytest.raises(CheckFailed, match="The table projects does not take"):
            lab.insert("projects", {"name": "x"})
    finally:
        lab.close()
        worker.close()


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (1.0, True, True),
        ("a", "a", False),
        ({"a": [1.0]}, {"a": [1.0]}, False),
        ({"a": [1.0]}, {"a": [True]}, True),
        ([1.0], [1.0, 2.0], True),
        (None, False, True),
    ],
)
def test_values_are_compared_with_their_types(one: object, other: object, differ: bool) -> None:
    """Equal is equal in type too, at every depth."""
    assert Lab.differs(one, other) is differ


def _project() -> dict[str, str]:
    return {"name": "P", "owner": "ana"}


def _worker(folder: Path) -> WorkerPlacement:
    return WorkerPlacement(LearnerProcess(folder), folder, end=jail.kill)
