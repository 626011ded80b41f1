"""`headwater cohort`: many submissions, some of them hostile, into one gradebook."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from headwater.cli import app as headwater
from headwater.rules import RULES
from headwater_workshop import cli
from headwater_workshop.cohort import grading, groups, one
from headwater_workshop.cohort.gradebook import (
    as_csv,
    as_html,
    finding_rates,
    objective_rates,
    rule_rates,
)
from headwater_workshop.cohort.grading import (
    Graded,
    check_jail,
    course_of,
    folders_of,
    grade_cohort,
)
from headwater_workshop.cohort.submissions import Submission, project_in, submissions
from headwater_workshop.grader.grader import grade, read_sources
from headwater_workshop.kit import KitError
from headwater_workshop.lessons import Lesson, load_lessons
from headwater_workshop.report import GradeResult
from headwater_workshop.sandbox import jail
from headwater_workshop.stages import stage, started, write

LESSONS = load_lessons()[:1]
RUN = CliRunner()
cli.register(headwater)


def run(*words: str | Path) -> Result:
    """`headwater cohort` with these words."""
    return RUN.invoke(headwater, ["cohort", *map(str, words)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two submissions: one is done with lesson 1, one has only begun it."""
    write(stage(1), tmp_path / "submissions" / "ana")
    write(started(LESSONS[0]), tmp_path / "submissions" / "ben" / "my-app")
    return tmp_path / "submissions"


def graded(folder: Path, out: Path, again: bool = False) -> tuple[list[Graded], list[str]]:
    """The cohort of a folder, and the names that were told on the way."""
    told: list[str] = []
    book = grade_cohort(
        submissions(folder), LESSONS, out, jobs=2, seed=7, again=again, told=told.append
    )
    return book, told


def test_a_cohort_is_graded_into_a_csv_and_a_page(folder: Path, tmp_path: Path) -> None:
    """One row each, with what was graded, how it was held, and how far it can be trusted."""
    ended = run(folder, "--lessons", "1", "--out", tmp_path / "book")
    assert ended.exit_code == 0, ended.output
    with (tmp_path / "book" / "gradebook.csv").open(encoding="utf-8") as file:
        ana, ben = csv.DictReader(file)
    assert (ana["submission"], ana["L1"], ana["L1.1"]) == ("ana", "1", "1")
    assert (ben["submission"], ben["L1"], ben["trust"]) == ("ben", "0", "instructor")
    assert (ana["sandbox"], len(ana["sources"])) == (jail.jail_level(), 16)
    page = (tmp_path / "book" / "gradebook.html").read_text(encoding="utf-8")
    assert "Submissions: 2, lessons: 1" in page


def test_what_is_kept_is_not_graded_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the submission changes, or one asks for it."""
    first, _ = graded(folder, tmp_path / "book")
    started_for: list[str] = []
    run_one = grading._run

    def counted(project: Path, each: Graded, lessons: Sequence[Lesson], *rest: Any) -> None:
        started_for.extend([each.name] if each.missing(lessons) else [])
        run_one(project, each, lessons, *rest)

    monkeypatch.setattr(grading, "_run", counted)
    second, told = graded(folder, tmp_path / "book")
    assert (second, started_for, sorted(told)) == (first, [], ["ana", "ben"])
    write(stage(1), folder / "ben" / "my-app")
    third, _ = graded(folder, tmp_path / "book")
    assert started_for == ["ben"]
    assert [each.lessons[LESSONS[0].name]["passed"] for each in third] == [True, True]


def test_a_gradebook_has_a_seed_that_nobody_knows_before(folder: Path, tmp_path: Path) -> None:
    """Another one for another gradebook; the same when a run goes on, until one is given."""
    seeds = []
    for book, words in (("a", ()), ("b", ()), ("a", ()), ("a", ("--seed", "7")), ("a", ())):
        ended = run(folder, "--lessons", "1", "--out", tmp_path / book, "--json", *words)
        results = [each["lessons"][LESSONS[0].name] for each in json.loads(ended.stdout)]
        assert results[0]["seed"] == results[1]["seed"]
        seeds.append(results[0]["seed"])
    assert seeds[0] == seeds[2] != seeds[1]
    assert seeds[3:] == [7, 7]


def test_a_lesson_that_asks_otherwise_is_another_course() -> None:
    """Its checks, and what it holds a learner's tests against; not its text."""
    last = load_lessons()[-1]
    broken = next(path for path in last.tree if path.startswith("tests/broken/"))
    names = {
        path: course_of([replace(last, tree={**last.tree, path: b"# another"})], 7)
        for path in ("lesson.md", "tests/checks.py", broken)
    }
    assert names["lesson.md"] == course_of([last], 7) != course_of([last], 8)
    assert len(set(names.values())) == 3


def test_a_submission_is_every_folder_that_a_lesson_reads() -> None:
    """What one lesson alone looks at is fetched, and is a reason to grade again."""
    every = load_lessons()
    assert all(set(lesson.reads) <= set(folders_of(every)) for lesson in every)
    assert folders_of(every[:1]) == ["backend"]


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"sources": 1}'])
def test_a_result_file_that_is_broken_is_made_anew(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever killed an earlier run loses one result at most."""
    store = tmp_path / "x.json"
    store.write_text(broken)
    assert grading._kept(store, Graded("x", "x")) is None


def test_hostile_submissions_cost_only_themselves(folder: Path, tmp_path: Path) -> None:
    """One ends its process, one has no project, one is a name that a spreadsheet would run."""
    hostile = {"=1+1": "import os; os._exit(0)", "<b>x": "raise SystemExit"}
    for name, source in hostile.items():
        (folder / name / "backend").mkdir(parents=True)
        (folder / name / "backend" / "tasks.py").write_text(source)
    (folder / "empty").mkdir()
    (folder / "empty" / "backend").symlink_to("/etc")
    ended = run(folder, "--lessons", "1", "--out", tmp_path / "book", "--json")
    assert ended.exit_code == 1
    rows = {row["name"]: row for row in json.loads(ended.stdout)}
    assert rows["ana"]["lessons"][LESSONS[0].name]["passed"]
    assert not any(rows[name]["lessons"][LESSONS[0].name]["passed"] for name in hostile)
    assert rows["empty"]["problem"] == "empty holds no backend/."
    text = (tmp_path / "book" / "gradebook.csv").read_text(encoding="utf-8")
    assert "\n'=1+1," in text
    page = (tmp_path / "book" / "gradebook.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page


def test_no_name_steers_the_terminal_or_stops_the_others(folder: Path, tmp_path: Path) -> None:
    """A folder's name may be any bytes, and as long as a file's name may be."""
    for name in (b"\x1b]0;own\x07", b"a\n=1,1", b"\xff", b"n" * 255, "\u202e\U0001f600".encode()):
        os.mkdir(os.path.join(os.fsencode(folder), name))
    ended = run(folder, "--lessons", "1", "--out", tmp_path / "book")
    assert ended.exit_code == 1, ended.output
    assert all(each.isprintable() for each in ended.stdout.splitlines())
    with (tmp_path / "book" / "gradebook.csv").open(encoding="utf-8") as file:
        rows = {row["submission"]: row for row in csv.DictReader(file)}
    assert {"ana", "ben", "\ufffd]0;own\ufffd", "a\ufffd=1,1", "\ufffd", "n" * 80} < set(rows)
    assert rows["ana"]["L1"] == "1"
    assert all(row["problem"].isprintable() for row in rows.values())


@pytest.mark.parametrize("name", ["=1", "  =1", "\uff1d1", "\uff201"])
def test_no_name_is_a_formula(name: str) -> None:
    """Not after spaces either, nor in the wide characters that some spreadsheets take as well."""
    assert f"\n'{name}," in as_csv([Graded(name, name)], LESSONS)


def test_files_that_are_beyond_reading_cost_their_own_submission(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is that they do to the one who reads them."""

    def fails_for_ben(project: Path, folders: Sequence[str]) -> dict[str, str]:
        if project.name == "my-app":
            raise RecursionError("\x1b[2J" + "x" * 10_000)
        return read_sources(project, folders)

    monkeypatch.setattr(grading, "read_sources", fails_for_ben)
    (ana, ben), _ = graded(folder, tmp_path / "book")
    assert (ana.problem, len(ben.problem) < 1_000) == ("", True)
    assert ben.problem.startswith("RecursionError: \ufffd[2Jx")


def test_an_error_of_megabytes_is_a_result_like_any_other(folder: Path, tmp_path: Path) -> None:
    """It is cut to what a person reads."""
    (folder / "ben" / "my-app" / "backend" / "tasks.py").write_text("raise ValueError('x' * 10**7)")
    (_, ben), _ = graded(folder, tmp_path / "book")
    assert ben.problem == ""
    assert 1_000 < len(ben.lessons[LESSONS[0].name]["first"]) < 3_000


def test_results_that_were_handed_in_are_not_taken_for_kept_ones(folder: Path) -> None:
    """A gradebook's folder that is one of the submissions, in one or beside them is refused."""
    (folder / "gradebook" / "results").mkdir(parents=True)
    for out in (folder / "gradebook", folder / "ana" / "book", folder / "not-there-yet"):
        ended = run(folder, "--lessons", "1", "--out", out)
        assert ended.exit_code == 2
        assert "is one of the submissions" in ended.stderr
    assert not list(folder.rglob("*.csv"))


def test_a_submission_that_takes_too_long_is_ended(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps what was graded until then; the others go on."""
    monkeypatch.setattr(grading, "SUBMISSION_S", 0.01)
    book, _ = graded(folder, tmp_path / "book")
    assert {each.problem for each in book} == {
        "took longer than 0.01 s; what was not reached is not graded"
    }
    assert groups.running == set()


def test_code_that_does_not_load_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would not load in any other lesson either: each of them says so, none waits for it."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "tasks.py").write_text("import no_such_module\n")
    names = [lesson.name for lesson in load_lessons()]
    order = {"project": str(tmp_path), "lessons": names, "seed": 1}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(order)))
    grades: list[str] = []

    def counted(project: Path, lesson: Lesson, **options: Any) -> GradeResult:
        grades.append(lesson.name)
        return grade(project, lesson, **options)

    monkeypatch.setattr(one, "grade", counted)
    one.main()
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["lesson"] for row in rows] == names
    assert grades == names[:1]


def test_strangers_code_is_refused_below_level_2(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the way to mend it."""
    monkeypatch.setattr(grading, "jail_level", lambda: "L1")
    with pytest.raises(KitError, match="level L1") as refused:
        check_jail()
    assert "bubblewrap" in refused.value.fix


def test_rates_name_what_was_hard() -> None:
    """Objectives and findings, the most frequent first, of those that were graded."""
    lesson = LESSONS[0]

    def result(met: bool) -> dict[str, object]:
        objectives = {each.id: met for each in lesson.objectives}
        codes, rules = ([], []) if met else (["V001"], ["HW103"])
        facts = {"jail": "L3", "trust": "instructor", "seconds": 1.0, "first": "seen"}
        lists = {"objectives": objectives, "codes": codes, "rules": rules}
        return {**facts, **lists, "passed": met}

    book = [
        Graded(name, name, lessons={lesson.name: result(name == "ana")}) for name in ["ana", "ben"]
    ]
    book.append(Graded("none", "none", problem="it is empty"))
    (worst, *_) = objective_rates(book, LESSONS)
    assert (worst.failed, worst.of, worst.share) == (1, 2, 0.5)
    (finding,) = finding_rates(book)
    assert (finding.name, finding.failed, finding.of) == ("V001", 1, 2)
    (rule,) = rule_rates(book)
    assert (rule.name, rule.text, rule.failed) == ("HW103", RULES["HW103"].title, 1)
    assert "it is empty" in as_csv(book, LESSONS)
    assert "it is empty" in as_html(book, LESSONS, "today")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("http://example.org/a", "no git URL over https"),
        ("git@example.org:a/b.git", "no git URL over https"),
        ("file:///etc", "no git URL over https"),
        ("ext::sh -c true", "no git URL over https"),
        ("a b https://example.org/a", "no git URL over https"),
        ("https://ana:secret@example.org/a", "password would end up"),
    ],
)
def test_a_list_takes_git_over_https_only(line: str, said: str, tmp_path: Path) -> None:
    """And says in which line it found something else."""
    (tmp_path / "urls.txt").write_text(f"# room 1\n{line}\n")
    with pytest.raises(KitError, match=said) as refused:
        submissions(tmp_path / "urls.txt")
    assert refused.value.where.endswith("line 2")


def test_a_list_names_its_submissions(tmp_path: Path) -> None:
    """By the name before the URL, or by the URL's path; no name leads out of the gradebook."""
    lines = (
        "ana https://example.org/x\nhttps://example.org/ben/app.git\n../up https://example.org/y\n"
    )
    (tmp_path / "urls.txt").write_text(lines)
    assert submissions(tmp_path / "urls.txt") == [
        Submission("ana", "https://example.org/x"),
        Submission("ben-app", "https://example.org/ben/app.git"),
        Submission("up", "https://example.org/y"),
    ]


@pytest.mark.parametrize(
    ("names", "said"), [((), "holds no submission"), (("Ana", "ana"), "names Ana, ana twice")]
)
def test_a_folder_that_makes_no_gradebook_is_refused(
    names: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    """Before anything is graded."""
    for name in names:
        (tmp_path / name).mkdir()
    ended = run(tmp_path)
    assert ended.exit_code == 2
    assert said in ended.stderr


def test_a_submission_beyond_all_measure_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million files, or a link to everything, cost no more than counting to the limit."""
    monkeypatch.setattr("headwater_workshop.cohort.submissions.ENTRIES_AT_MOST", 50)
    (tmp_path / "backend").mkdir()
    (tmp_path / "up").symlink_to("/")
    assert project_in(tmp_path) == tmp_path
    for number in range(51):
        os.mkfifo(tmp_path / f"{number}.py")
    with pytest.raises(KitError, match="more than 50 files"):
        project_in(tmp_path)
