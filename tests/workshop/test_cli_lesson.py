"""`headwater lesson`: what a learner types, what they read, what a program gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from headwater_workshop.cli.lesson import app
from headwater_workshop.kit import read_folder, write_tree
from headwater_workshop.lessons import load_lessons
from headwater_workshop.mode import set_mode
from headwater_workshop.progress import load_progress, record_grade
from headwater_workshop.stages import complete, stage, started
from headwater_workshop.tutor import current_lesson, protected_reason, turn_line

LESSONS = load_lessons()
FIRST, SECOND = LESSONS[:2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project, and the command is called in it."""
    write_tree(stage(0), tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lesson(*arguments: str) -> Result:
    """Call `headwater lesson ...`."""
    return CliRunner().invoke(app, list(arguments))


def facts(*arguments: str) -> Any:
    """What a program reads; the command must succeed."""
    result = lesson(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def finish(project: Path) -> None:
    """What the grader records when every objective of lesson 1 is met."""
    record_grade(project, FIRST, {each.id: True for each in FIRST.objectives}, "now")


def test_list_shows_every_lesson_and_how_far_one_is(project: Path) -> None:
    """A line for each lesson, and a bar that grows with the done ones."""
    before = lesson("list").stdout
    assert all(each.title in before for each in LESSONS)
    assert f"0 of {len(LESSONS)} lessons done" in before
    finish(project)
    after = lesson("list").stdout
    assert f"1 of {len(LESSONS)} lessons done" in after
    assert after.count("#") > before.count("#")


def test_list_gives_programs_the_same_facts(project: Path) -> None:
    """State, runs and hints of each lesson as JSON."""
    lesson("start", "1")
    lesson("hint", "1")
    first = facts("list")["lessons"][0]
    assert (first["state"], first["hints"], first["runs"]) == ("current", 1, 0)
    finish(project)
    assert facts("list")["lessons"][0]["state"] == "done"
    assert facts("list")["done"] == 1


def test_the_status_line_has_the_same_bar(project: Path) -> None:
    """One line, the list's own bar, and the lesson in hand; nothing before the first lesson."""
    assert lesson("bar").stdout == ""
    finish(project)
    lesson("start", "2")
    told = lesson("bar").stdout
    (line,) = [line for line in lesson("list").stdout.splitlines() if line.startswith("[")]
    assert told == f"{line}, now L2 {SECOND.title}\n"


def test_show_prints_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To a program or an assistant it is plain Markdown; reading needs no project."""
    monkeypatch.chdir(tmp_path)
    assert lesson("show", "2").stdout == f"{SECOND.learners_text}\n"
    assert "For the instructor" not in lesson("show", "2").stdout
    assert lesson("show", "2", "--instructor").stdout == f"{SECOND.text}\n"
    assert facts("show")["number"] == 1


def test_start_lays_the_starter_and_keeps_what_was_there(project: Path) -> None:
    """The lesson's files are in the project, and the ones before in a dated copy."""
    result = facts("start", "1")
    assert read_folder(project / "backend")["tasks.py"] == started(FIRST)["backend/tasks.py"]
    kept = read_folder(project / result["kept"]["folder"])
    assert kept["backend/tasks.py"] == stage(0)["backend/tasks.py"]
    assert load_progress(project).current == FIRST.name


def test_start_without_a_number_goes_on_with_the_next_lesson(project: Path) -> None:
    """After lesson 1 is done it is lesson 2, with the schema that its starter imports from."""
    finish(project)
    assert set(facts("start")["written"]) == {"backend/schema.py", "backend/tasks.py"}
    assert load_progress(project).current == SECOND.name
    assert read_folder(project / "backend")["schema.py"] == stage(1)["backend/schema.py"]


def test_starting_twice_does_not_lay_files_over_work(project: Path) -> None:
    """Whoever types it by mistake is told how to go on."""
    lesson("start", "1")
    (project / "backend" / "tasks.py").write_text("# mine\n")
    result = lesson("start", "1")
    assert result.exit_code == 2
    assert "headwater lesson reset 1" in result.stderr
    assert (project / "backend" / "tasks.py").read_text() == "# mine\n"


@pytest.mark.parametrize("command", ["start", "reset"])
def test_a_complete_project_is_told_to_jump(project: Path, command: str) -> None:
    """Its backend imports what the lesson's schema does not have; goto replaces all of it."""
    write_tree(complete(), project)
    result = lesson(command, "1")
    assert result.exit_code == 2
    assert "backend/presence.py" in result.stderr
    assert "headwater lesson goto 1" in result.stderr
    assert read_folder(project) == complete()
    facts("goto", "1")
    assert not (project / "backend" / "rate_limits.py").exists()


def test_reset_brings_the_starter_again_and_keeps_a_copy(project: Path) -> None:
    """The learner's attempt is in the copy."""
    lesson("start", "1")
    (project / "backend" / "tasks.py").write_text("# mine\n")
    result = facts("reset")
    assert read_folder(project / "backend")["tasks.py"] == started(FIRST)["backend/tasks.py"]
    assert read_folder(project / result["kept"]["folder"]) == {"backend/tasks.py": b"# mine\n"}


@pytest.mark.parametrize("command", ["start", "reset", "goto"])
def test_a_done_lesson_that_is_begun_again_is_in_hand_again(project: Path, command: str) -> None:
    """Also out of the next one: it is current, its objectives open, and tutor mode leaves its
    functions to the learner, until it is passed again. That it was done stays.
    """
    set_mode(project, "tutor")
    lesson("start", "1")
    finish(project)
    lesson("start", "2")
    facts(command, "1")
    told = facts("list")
    first = told["lessons"][0]
    assert (first["state"], told["done"], any(first["objectives"].values())) == (
        "current",
        1,
        False,
    )
    assert current_lesson(project) is not None
    assert protected_reason(project, "backend/tasks.py", "") is not None
    assert "lesson 01" in turn_line(project)
    assert lesson("start", "1").exit_code == 2, "it has begun already"
    finish(project)
    assert facts("list")["lessons"][0]["state"] == "done"
    assert current_lesson(project) is None


def test_goto_brings_a_known_good_project(project: Path) -> None:
    """Backend and tests are those of the stage, whatever was there; own files are kept."""
    write_tree({"backend/broken.py": b"import nothing_there\n", "notes.txt": b"n\n"}, project)
    result = facts("goto", "2")
    found = {f"backend/{k}": v for k, v in read_folder(project / "backend").items()}
    found |= {f"tests/{k}": v for k, v in read_folder(project / "tests").items()}
    assert found == started(SECOND)
    assert result["removed"] == ["backend/broken.py"]
    assert "backend/broken.py" in read_folder(project / result["kept"]["folder"])
    assert (project / "notes.txt").is_file()


def test_goto_end_brings_the_last_stage(project: Path) -> None:
    """Where there is no next lesson, everything is solved."""
    facts("goto", "end")
    assert read_folder(project / "backend")["tasks.py"] == stage(99)["backend/tasks.py"]


@pytest.mark.parametrize("word", ["2", "end"])
def test_goto_leaves_the_test_of_the_page(project: Path, word: str) -> None:
    """It came with the page, not with a lesson, and holds in every one of them."""
    write_tree({"tests/test_page.py": b"# mine\n"}, project)
    assert facts("goto", word)["removed"] == []
    assert (project / "tests/test_page.py").read_text() == "# mine\n"


def test_goto_says_in_words_what_it_did(project: Path) -> None:
    """What was written, where the own work is, how to get it back, and what to do next."""
    output = lesson("goto", "2").stdout
    for part in ("written: backend/schema.py", "your own work is kept", "to get it back", "next:"):
        assert part in output
    assert project.is_dir()


def test_hints_climb_the_ladder_of_the_open_objective(project: Path) -> None:
    """The first objective that the grader has not seen met, one rung at a time."""
    assert facts("hint", "1")["text"] == FIRST.hints["L1.1"][0]
    assert facts("hint", "1")["text"] == FIRST.hints["L1.1"][1]
    record_grade(project, FIRST, {"L1.1": True}, "now")
    assert facts("hint", "1")["objective"] == "L1.2"
    assert facts("hint", "l1.3")["text"] == FIRST.hints["L1.3"][0]


def test_the_last_hint_says_how_to_see_the_solution(project: Path) -> None:
    """After it the decision is the learner's."""
    outputs = [lesson("hint", "L1.1").stdout for _ in range(6)]
    assert "Hint 5 of 5" in outputs[-1]
    assert "lesson reveal 1" in outputs[-1]
    assert not any("reveal" in output for output in outputs[:-1])
    assert load_progress(project).of(FIRST).solution_seen is None


def test_an_unknown_objective_names_the_known_ones(project: Path) -> None:
    """A number too high is answered with what there is."""
    result = lesson("hint", "L1.9")
    assert result.exit_code == 2
    assert "L1.1, L1.2, L1.3" in result.stderr
    assert load_progress(project).lessons == {}


def test_diff_shows_what_the_learner_changed(project: Path) -> None:
    """From the starter to the project; nothing while nothing is changed."""
    lesson("start", "1")
    assert lesson("diff").stdout == "No difference.\n"
    with (project / "backend" / "tasks.py").open("a") as file:
        file.write("# mine\n")
    assert "+# mine\n" in lesson("diff").stdout
    assert load_progress(project).of(FIRST).solution_seen is None


def test_diff_leaves_the_test_of_the_page_out(project: Path) -> None:
    """It came with the project: nobody changed it, and no solution takes it away."""
    write_tree({"tests/test_page.py": b"# the page\n"}, project)
    lesson("start", "1")
    assert lesson("diff").stdout == "No difference.\n"
    assert "test_page" not in lesson("diff", "--solution").stdout


def test_after_a_pass_diff_is_of_the_lesson_just_done(project: Path) -> None:
    """Not of the one that comes next: its solution stays closed."""
    lesson("start", "1")
    finish(project)
    assert facts("diff", "--solution")["lesson"] == FIRST.name
    assert load_progress(project).of(SECOND).solution_seen is None


def test_the_list_says_what_is_next(project: Path) -> None:
    """Begin the first; grade the one in hand; begin the second."""
    said = [lesson("list").stdout.splitlines()[-1]]
    lesson("start", "1")
    said.append(lesson("list").stdout.splitlines()[-1])
    finish(project)
    said.append(lesson("list").stdout.splitlines()[-1])
    commands = ("lesson start 1", "grade 1", "lesson start 2")
    assert said == [f"Next: headwater {each}" for each in commands]


def test_diff_with_the_solution_is_recorded(project: Path) -> None:
    """The solution is shown to whoever asks, and the record says so."""
    lesson("start", "1")
    assert "+    priority: Priority | None = None\n" in facts("diff", "1", "--solution")["diff"]
    assert load_progress(project).of(FIRST).solution_seen is not None


@pytest.mark.parametrize("words", [("reveal", "1"), ("diff", "1", "--solution")])
def test_a_tutored_solution_is_shown_after_a_yes(project: Path, words: tuple[str, ...]) -> None:
    """No, or nobody to ask: closed, and nothing recorded. Yes: a diff, and the lesson is seen."""
    set_mode(project, "tutor")
    lesson("start", "1")
    for answer in ("n\n", ""):
        refused = CliRunner().invoke(app, list(words), input=answer)
        assert (refused.exit_code, "headwater lesson hint 1" in refused.stderr) == (2, True)
        assert load_progress(project).of(FIRST).solution_seen is None
    shown = CliRunner().invoke(app, [*words, "--json"], input="y\n")
    assert "priority: Priority" in json.loads(shown.stdout)["diff"]
    assert "0 of 18 hints" in shown.stderr
    assert facts("list")["lessons"][0]["state"] == "seen"
    assert lesson(*words).exit_code == 0, "who has seen it is not asked again"


def test_a_tutored_hint_says_when_the_next_one_comes(project: Path) -> None:
    """The second call without a try gives the first hint again; a run of what it began with is
    no try.
    """
    set_mode(project, "tutor")
    lesson("start", "1")
    lesson("hint", "1")
    record_grade(project, FIRST, {}, "now")
    again = lesson("hint", "1").stdout
    assert "Hint 0 of 5, again" in again
    assert "failed `headwater grade`" in again


@pytest.mark.parametrize("command", ["start", "reset", "hint", "diff", "goto 1", "reveal"])
def test_outside_a_project_each_command_says_so(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What, where, and what next, as text and as JSON; exit code 2."""
    monkeypatch.chdir(tmp_path)
    result = lesson(*command.split())
    assert result.exit_code == 2
    assert "no backend/ folder" in result.stderr
    told = lesson(*command.split(), "--json")
    assert told.exit_code == 2
    assert set(json.loads(told.stdout)["error"]) == {"what", "where", "fix"}


def test_an_unknown_lesson_is_answered_with_the_known_ones(project: Path) -> None:
    """Nothing is laid."""
    result = lesson("goto", "99")
    assert result.exit_code == 2
    assert FIRST.name in result.stderr
    assert read_folder(project) == stage(0)
