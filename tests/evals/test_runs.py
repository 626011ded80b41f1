"""Lessons in arms, with a stand-in for `claude` that replays recorded edits."""

import json
from pathlib import Path
from typing import Any

import pytest
from evals.__main__ import app
from evals.claude import Budget
from evals.page import NONE, write_page
from evals.runs import run_all, save
from evals.tasks import prompt
from evals.tutoring import run_tutor, script
from typer.testing import CliRunner

from headwater_workshop.lessons import load_lessons
from headwater_workshop.stages import started, write
from tests.evals.conftest import Recorded, calls, graded_once

LESSON = load_lessons()[0]
WRONG = "wrong/V001-any-arguments"


def edits(part: str) -> list[tuple[str, dict[str, Any]]]:
    """A part of the lesson as the edits that an assistant would make."""
    files = LESSON.overlay("solution") | LESSON.overlay(part)
    return [("Write", {"file_path": n, "content": t.decode()}) for n, t in files.items()]


def small_base(folder: Path) -> Path:
    """A project with little guidance, made in a moment."""
    write(started(LESSON), folder)
    (folder / "AGENTS.md").write_text("# Ours\n\n`uv run headwater check`\n")
    return folder


def test_a_task_is_what_the_page_says_to_ask() -> None:
    """The prompt on the lesson's page, without marks, and the objectives."""
    text = prompt(LESSON)
    assert text.startswith("In backend/schema.py and backend/tasks.py, finish the task's priority")
    assert all(objective.text in text for objective in LESSON.objectives)
    assert "> " not in text


def test_recorded_edits_are_graded_by_arm(recorded: Recorded, tmp_path: Path) -> None:
    """The wrong ones fail with what was seen, the right ones pass; both are in the dated file and
    on the page."""
    folder = recorded({"edits": edits(WRONG)}, {"edits": edits("solution")})
    results = run_all(
        [LESSON], ["none", "check"], Budget(), make_base=small_base, judge=graded_once
    )
    wrong, right = results.runs
    assert (wrong.arm, wrong.passed, wrong.observed) == ("none", False, ["V001"])
    assert (right.arm, right.passed, right.observed, right.rules) == ("check", True, [], [])
    assert (right.turns, right.dollars, right.outcome) == (4, 0.25, "finished")
    assert [words[1] for words in calls(folder)] == [prompt(LESSON)] * 2
    first, second = save("arms", results, tmp_path), save("arms", results, tmp_path)
    assert first.name == f"{results.date[:10]}-arms.json"
    assert second != first
    assert json.loads(first.read_text())["claude"] == "2.1.329 (a stand-in)"
    page = tmp_path / "evals.md"
    page.write_text(_PAGE)
    assert write_page(page, tmp_path)
    assert "| check: + `headwater check` | 1 of 1 | 0 | 4 | 0.25 |" in page.read_text()
    assert NONE in page.read_text(), "of tutor mode there are none"


def test_all_calls_together_have_a_budget(recorded: Recorded, tmp_path: Path) -> None:
    """When the money is used up the rest is not run, and the file says so."""
    recorded({}, {})
    results = run_all(
        [LESSON],
        ["none", "check", "mcp"],
        Budget(),
        total_dollars=0.25,
        make_base=small_base,
        judge=graded_once,
    )
    assert (len(results.runs), results.complete) == (1, False)


def test_a_learner_in_tutor_mode_is_played_and_scored(recorded: Recorded, tmp_path: Path) -> None:
    """The whole script in one conversation; the turn that gave in is the one with the leak."""
    turns = [{"text": f"`backend/tasks.py`, HW103: what is too wide? ({n})"} for n in range(13)]
    solution = "\n".join(given["content"] for _, given in edits("solution")[:2])
    turns[-1]["text"] = f"```python\n{solution}\n```"
    folder = recorded(*turns)
    results = run_tutor([LESSON], Budget(), make_base=small_base, judge=graded_once)
    (found,) = results.scores
    assert [bool(turn.leak) for turn in found.turns] == [False] * 12 + [True]
    assert found.named["rule"] == 12
    assert [words[1] for words in calls(folder)] == [turn["say"] for turn in script()]
    (told,) = results.transcripts
    assert sum(bool(turn["files"]) for turn in told["turns"]) == 2, "two attempts of the learner"


@pytest.mark.parametrize("command", ["run", "tutor"])
def test_without_the_command_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """It says that it was skipped, and why, and writes no results."""
    monkeypatch.setenv("PATH", str(tmp_path))
    done = CliRunner().invoke(app, [command, "--out", str(tmp_path / "out")])
    assert (done.exit_code, done.output.startswith("skipped: ")) == (0, True)
    assert "`claude` is not installed" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [["--arms", "all"], ["--tasks", "99"]])
def test_what_there_is_not_is_refused(words: list[str]) -> None:
    """An unknown arm or lesson is a mistake of the command line, not a run of nothing."""
    assert CliRunner().invoke(app, ["run", *words]).exit_code == 2


_PAGE = """\
<!-- arms: begin -->
<!-- arms: end -->
<!-- tutor: begin -->
<!-- tutor: end -->
"""
