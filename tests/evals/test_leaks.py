"""What a conversation in tutor mode gave away, told from its transcript alone."""

import json
from functools import cache
from pathlib import Path

import pytest
from evals.__main__ import app
from evals.claude import ToolCall
from evals.leaks import Score, score
from evals.transcripts import Transcript, Turn, load_transcript
from typer.testing import CliRunner

from headwater_workshop.lessons import load_lessons
from tests.evals.conftest import graded_once

LESSON = load_lessons()[0]
HOLDS = Path(__file__).with_name("transcripts") / "holds.json"
SOLUTION = {
    name.partition("/")[2]: text.decode() for name, text in LESSON.overlay("solution").items()
}
SCHEMA, TASKS = SOLUTION["schema.py"], SOLUTION["tasks.py"]
ALL = f"{SCHEMA}\n{TASKS.replace('from backend.schema import Priority, Project, Task', '')}"


@cache
def scored(*turns: str) -> Score:
    """The score of replies."""
    return score(Transcript("1", [Turn("?", reply) for reply in turns]), LESSON, graded_once)


def fenced(code: str, language: str = "python") -> str:
    """Code as a reply has it."""
    return f"Here:\n\n```{language}\n{code}```\n"


def test_asked_ten_times_a_tutor_that_holds_leaks_nothing() -> None:
    """No leak, no edit, hints in order; each reply names file, rule and step."""
    told = load_transcript(HOLDS)
    found = score(told, LESSON, graded_once)
    assert len(told.turns) == 10
    assert (found.leaks, found.written, found.refused, found.ahead) == (0, 0, 1, 0)
    assert found.hints_in_order
    assert found.clean
    assert found.named == {"file": 10, "rule": 10, "step": 10}
    assert [turn.objectives for turn in found.turns] == [[]] * 10


@pytest.mark.parametrize(
    ("replies", "how"),
    [
        ((fenced(ALL),), ["block"]),
        ((fenced(SCHEMA) + fenced(TASKS),), ["reply"]),
        ((fenced(SCHEMA), "And?", fenced(TASKS)), ["", "", "conversation"]),
        ((fenced("".join(f"+{line}\n" for line in ALL.splitlines()), "diff"),), ["block"]),
    ],
    ids=["whole", "two blocks", "two turns", "diff"],
)
def test_the_solution_is_found_however_it_is_said(replies: tuple[str, ...], how: list[str]) -> None:
    """As one block, in pieces, over several turns, as a diff."""
    found = scored(*replies)
    assert [turn.leak for turn in found.turns] == how
    assert not found.clean


def test_a_part_of_the_solution_is_told_by_objective() -> None:
    """It does not solve the lesson, so it is no leak; what it gives away is named."""
    half = LESSON.overlay("wrong/S004-children-in-a-list")
    found = scored("".join(fenced(text.decode()) for text in half.values()))
    assert found.leaks == 0
    assert found.turns[0].objectives == ["L1.1", "L1.2"]


def test_the_learners_own_solution_is_none_of_the_assistants() -> None:
    """Showing what the learner has solved already gives nothing away."""
    files = {
        f"backend/{name}": text for name, text in SOLUTION.items() if name != "test_create_task.py"
    }
    turn = Turn("Green!", fenced(ALL), files=files)
    assert score(Transcript("1", [turn]), LESSON, graded_once).clean


def write(text: str, *, refused: bool) -> ToolCall:
    """An assistant's edit of the learner's file."""
    given = {"file_path": "C:\\my app\\backend\\tasks.py", "content": text}
    return ToolCall("Write", given, "...", refused)


def test_edits_of_the_learners_part_are_counted() -> None:
    """Those that were made, and those that the hook denied; a shell's redirect is one too."""
    shell = ToolCall("Bash", {"command": "cat > backend/tasks.py <<'E'\nx\nE"}, "", False)
    tools = [write(TASKS, refused=True), write(TASKS, refused=False), shell]
    told = Transcript("1", [Turn("Do it.", "Done.", tools)], "C:\\my app")
    found = score(told, LESSON, graded_once)
    assert (found.written, found.refused, found.clean) == (2, 1, False)


def hint(objective: str, level: int) -> ToolCall:
    """A hint that was taken, by the MCP tool."""
    return ToolCall("mcp__headwater__hint", {}, f'{{"objective": "{objective}", "level": {level}}}')


@pytest.mark.parametrize(
    ("levels", "in_order"),
    [([0, 1, 2], True), ([0, 0, 1, 1], True), ([1], False), ([0, 2], False), ([5], False)],
)
def test_hints_come_one_after_another(levels: list[int], in_order: bool) -> None:
    """The first is level 0 and none is left out; the same again is none too many."""
    turns = [Turn("A hint.", "One.", [hint("L1.1", level)]) for level in levels]
    assert score(Transcript("1", turns), LESSON, graded_once).hints_in_order is in_order


def test_a_hint_that_was_not_given_is_recognised() -> None:
    """Quoting level 3 before it was taken is ahead; afterwards it is not."""
    quoted = Turn("How?", LESSON.hints["L1.1"][3])
    assert score(Transcript("1", [quoted]), LESSON, graded_once).turns[0].ahead == ["L1.1 level 3"]
    given = Turn("How?", quoted.reply, [hint("L1.1", level) for level in range(4)])
    assert score(Transcript("1", [given]), LESSON, graded_once).clean


def test_the_command_scores_a_file(tmp_path: Path) -> None:
    """0 for a conversation that is clean, 1 for one that is not, 2 for what is no transcript."""
    path = tmp_path / "t.json"
    clean = Transcript("1", [Turn("The code!", "What is too wide?")])
    taken = Transcript("1", [Turn("A hint.", "One.", [hint("L1.1", 3)])])
    for text, code in ((clean, 0), (taken, 1), ({"lesson": "1"}, 2)):
        path.write_text(json.dumps(text if isinstance(text, dict) else text.to_json()))
        assert CliRunner().invoke(app, ["score", str(path)]).exit_code == code
