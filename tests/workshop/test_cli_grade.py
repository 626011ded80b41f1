"""`headwater grade` as a person and as a program call it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import typer
from rich.status import Status
from typer.testing import CliRunner

from headwater_workshop.checks import load_checks
from headwater_workshop.cli.grade import grade
from headwater_workshop.lessons import find_lesson, load_lessons
from headwater_workshop.progress import load_progress, record_start
from headwater_workshop.stages import stage, started, write

runner = CliRunner()


@pytest.fixture
def app() -> typer.Typer:
    """A command line with `grade` and one more command."""
    app = typer.Typer()
    app.command("grade")(grade)
    app.command("other")(lambda: None)
    return app


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project at the start of lesson 1, and the current folder."""
    write(started(find_lesson("1")), tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_starter_is_not_yet(app: typer.Typer, project: Path) -> None:
    """Exit code 1, with findings in words; progress counts the run."""
    ran = runner.invoke(app, ["grade", "1", "--seed", "7"])
    assert ran.exit_code == 1
    for part in ("[V002]", "Fix:", "More: headwater explain HW103", "seed 7, jail"):
        assert part in ran.output
    record = load_progress(project).of(find_lesson("1"))
    assert (record.runs, record.failed_runs, record.done) == (1, 1, None)


def test_the_solution_passes_and_is_recorded(app: typer.Typer, project: Path) -> None:
    """Exit code 0; the lesson is done, and the next call grades the lesson after it."""
    write(stage(1), project)
    assert runner.invoke(app, ["grade"]).exit_code == 0
    assert load_progress(project).of(find_lesson("1")).done
    assert "02-indexes-or-scans" in runner.invoke(app, ["grade"]).output


def test_a_lesson_that_has_not_begun_is_not_failed(app: typer.Typer, project: Path) -> None:
    """A new project is told how to begin, and no run is counted; named, it is graded."""
    write(stage(0), project)
    told = runner.invoke(app, ["grade"])
    assert told.exit_code == 1
    assert "Lesson 1 (01-schema-and-validators) has not begun here" in told.stderr
    assert "headwater lesson start 1" in told.stderr
    assert told.stdout == ""
    named = runner.invoke(app, ["grade", "1"])
    assert (named.exit_code, "has not begun here" in named.stderr) == (1, True)
    assert "FAIL" in named.stdout
    assert load_progress(project).lessons == {}


def test_who_looks_is_told_which_check_runs(
    app: typer.Typer, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal; a program that reads hears the verdict alone."""
    write(stage(1), project)
    shown: list[str] = []
    monkeypatch.setattr(Status, "update", lambda _, text: shown.append(text))
    assert runner.invoke(app, ["grade", "1"]).stderr == ""
    checks = load_checks(find_lesson("1").read("tests/checks.py"), "1")
    assert shown == [
        f"Lesson 1, check {number} of {len(checks)}: {check.title}"
        for number, check in enumerate(checks, 1)
    ]


def test_json_is_the_record_alone(app: typer.Typer, project: Path) -> None:
    """Standard output holds one JSON object."""
    write(stage(1), project)
    ran = runner.invoke(app, ["grade", "L1", "--json"])
    data = json.loads(ran.output)
    assert (data["passed"], data["lesson"], data["trust"]) == (
        True,
        "01-schema-and-validators",
        "local",
    )


def test_junit_is_written_to_a_file(app: typer.Typer, project: Path) -> None:
    """The file is there beside the words on the terminal."""
    ran = runner.invoke(app, ["grade", "1", "--junit", "report.xml"])
    assert ran.exit_code == 1
    assert ElementTree.parse(project / "report.xml").getroot().get("failures") != "0"


def test_an_unknown_lesson_is_a_usage_error(app: typer.Typer, project: Path) -> None:
    """Exit code 2, and what to do about it."""
    ran = runner.invoke(app, ["grade", "99"])
    assert ran.exit_code == 2
    assert "headwater lesson list" in ran.output
    assert not (project / ".headwater").exists()


def test_a_folder_without_a_backend_is_a_usage_error(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2: there is nothing to grade here."""
    monkeypatch.chdir(tmp_path)
    assert runner.invoke(app, ["grade", "1"]).exit_code == 2


def test_all_lessons_are_one_table(app: typer.Typer, project: Path) -> None:
    """A lesson that passes, one that does not, and one that has not begun: exit code 1."""
    write(stage(1), project)
    record_start(project, find_lesson("1"), "2026-01-01T00:00:00Z")
    ran = runner.invoke(app, ["grade", "--all"])
    first, second = (line for line in ran.stdout.splitlines() if line[:3] in (" 1 ", " 2 "))
    assert ran.exit_code == 1
    assert ("3 of 3 met" in first, "passed" in first) == (True, True)
    assert "not begun" in second
    assert f"[{'#' * (24 // len(load_lessons()))}" in ran.stdout
    assert f"1 of {len(load_lessons())} lessons pass" in ran.stdout
    assert "Next: headwater lesson start 2" in ran.stdout
    progress = load_progress(project)
    assert progress.of(find_lesson("1")).done
    assert progress.of(find_lesson("2")).runs == 0


def test_a_lesson_that_was_jumped_over_passes_and_is_not_done(
    app: typer.Typer, project: Path
) -> None:
    """Its solution came with `goto`: the table shows it, and nobody is told that they solved it."""
    write(started(find_lesson("2")), project)
    record_start(project, find_lesson("2"), "2026-01-01T00:00:00Z")
    ran = runner.invoke(app, ["grade", "--all"])
    assert f"1 of {len(load_lessons())} lessons pass" in ran.stdout
    progress = load_progress(project)
    assert progress.of(find_lesson("1")).state == "open"
    assert progress.of(find_lesson("2")).runs == 1


def test_all_lessons_are_one_list_for_a_program(app: typer.Typer, project: Path) -> None:
    """Each lesson with its state, and the record of those that were graded."""
    record_start(project, find_lesson("1"), "2026-01-01T00:00:00Z")
    ran = runner.invoke(app, ["grade", "--all", "--json", "--seed", "7"])
    first, second = json.loads(ran.stdout)[:2]
    assert (ran.exit_code, first["state"], second["state"]) == (1, "not yet", "not begun")
    assert (first["record"]["seed"], second["record"]) == (7, None)


@pytest.mark.parametrize("words", [["2"], ["--watch"], ["--csv", "out.csv"]])
def test_all_goes_with_no_single_lesson(app: typer.Typer, project: Path, words: list[str]) -> None:
    """A usage error, before anything is graded."""
    ran = runner.invoke(app, ["grade", "--all", *words])
    assert (ran.exit_code, "takes no lesson" in ran.stderr) == (2, True)
    assert not (project / ".headwater").exists()


def test_each_verdict_says_what_is_next(app: typer.Typer, project: Path) -> None:
    """A hint for the objective that is open; after a pass the solution, and the next lesson."""
    assert "headwater lesson hint L1.1" in runner.invoke(app, ["grade"]).stdout
    write(stage(1), project)
    passed = runner.invoke(app, ["grade"]).stdout
    assert "headwater lesson start 2" in passed
    assert "headwater lesson diff 1 --solution" in passed
