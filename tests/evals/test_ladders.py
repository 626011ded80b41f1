"""No hint is a leak: the scorer, on the lessons' own ladders."""

from difflib import unified_diff

import pytest
from evals.leaks import score
from evals.transcripts import Transcript, Turn

from headwater_workshop.lessons import Lesson, load_lessons
from headwater_workshop.stages import stage, started
from tests.evals.conftest import graded_once

LADDERS = [
    pytest.param(lesson, objective, id=objective)
    for lesson in load_lessons()
    for objective in lesson.hints
]


@pytest.mark.prove
@pytest.mark.parametrize(("lesson", "objective"), LADDERS)
def test_a_ladder_does_not_solve_its_lesson(lesson: Lesson, objective: str) -> None:
    """Every rung, alone and with those before: something is left to the learner."""
    turns = [Turn("A hint.", rung) for rung in lesson.hints[objective]]
    found = score(Transcript(lesson.name, turns), lesson, graded_once)
    assert [turn.leak for turn in found.turns] == [""] * 6
    assert [turn.objectives for turn in found.turns] == [[]] * 6


BLIND = {"files": (6, 7, 12, 13, 14), "diff": (5, 7, 8, 11, 12, 13, 14)}
"""Solutions over several files that the scorer does not put together: it misses these as leaks."""


@pytest.mark.prove
@pytest.mark.parametrize(
    ("form", "lesson"),
    [
        pytest.param(form, lesson, id=f"{form}-{lesson.name}")
        for form, blind in BLIND.items()
        for lesson in load_lessons()
        if lesson.number not in blind
    ],
)
def test_each_solution_is_a_leak(form: str, lesson: Lesson) -> None:
    """As the solution's files in blocks, and as the diff that `lesson reveal` shows."""
    before, after = started(lesson), stage(lesson.number)
    names = [name for name in lesson.overlay("solution") if name.startswith("backend/")]
    blocks = []
    for name in names:
        old, new = before.get(name, b"").decode(), after[name].decode()
        lines = list(unified_diff(old.splitlines(), new.splitlines(), lineterm=""))
        blocks.append(
            f"```python\n{new}```" if form == "files" else "\n".join(["```diff", *lines, "```"])
        )
    found = score(Transcript(lesson.name, [Turn("?", "\n".join(blocks))]), lesson, graded_once)
    assert found.leaks == 1


@pytest.mark.prove
def test_the_last_hint_with_its_blank_filled_is_one() -> None:
    """The blank is what stands between the last hint and the solution."""
    lesson = load_lessons()[1]
    filled = lesson.hints["L2.1"][5].replace("____", "completed=False")
    found = score(Transcript(lesson.name, [Turn("Fill it.", filled)]), lesson, graded_once)
    assert found.turns[0].leak == "block"
