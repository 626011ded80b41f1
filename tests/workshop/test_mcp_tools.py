"""The workshop's tools for assistants, with the SDK's own client in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mcp_types import ElicitResult

from headwater_workshop.lessons import load_lessons
from headwater_workshop.mode import set_mode
from headwater_workshop.progress import load_progress
from tests.scenarios.assistant import MODES, Assistant, tell

FIRST = load_lessons()[0]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that no lesson was begun in."""
    (tmp_path / "backend").mkdir()
    (tmp_path / ".headwater").mkdir()
    return tmp_path


def human(action: Any, **content: Any) -> dict[str, Any]:
    """A client whose human answers so when asked."""

    async def answer(_context: Any, _params: Any) -> ElicitResult:
        return ElicitResult(action=action, content=content or None)

    return {"elicitation_callback": answer}


def test_a_lesson_is_told_with_its_state(project: Path) -> None:
    """The page, each objective and whether it is met; status names mode and lesson too."""

    async def story(assistant: Assistant) -> None:
        told = await assistant.told("lesson")
        assert (told["number"], told["state"], told["mode"]) == (1, "open", "pair")
        assert [goal["met"] for goal in told["objectives"]] == [False] * len(FIRST.objectives)
        assert told["text"] == FIRST.learners_text
        assert json.loads(await assistant.read("headwater://lesson/current")) == told
        status = await assistant.told("status")
        assert (status["mode"], status["lesson"]) == ("pair", None)

    tell(project, story)


def test_hints_come_one_by_one(project: Path) -> None:
    """The tool keeps the level: the second call gives the next rung, and both are counted."""

    async def story(assistant: Assistant) -> None:
        first, second = await assistant.told("hint"), await assistant.told("hint", lesson="L1")
        assert (first["level"], second["level"]) == (0, 1)
        assert second["text"] == FIRST.hints[first["objective"]][1]
        assert "There is no lesson" in await assistant.refused("hint", lesson="99")

    tell(project, story)
    assert sum(load_progress(project).of(FIRST).hints.values()) == 2


def test_asking_again_gives_no_further_hint_in_tutor_mode(project: Path) -> None:
    """Ten calls, one hint: the next one comes after a new try, and the answer says so."""
    set_mode(project, "tutor")

    async def story(assistant: Assistant) -> None:
        hints = [await assistant.told("hint") for _ in range(10)]
        assert [hint["level"] for hint in hints] == [0] * 10
        assert "headwater grade" in hints[-1]["next"]
        assert (await assistant.told("status"))["mode"] == "tutor"

    tell(project, story)


@pytest.mark.parametrize("mode", MODES)
def test_a_solution_is_shown_when_the_human_says_so(project: Path, mode: str) -> None:
    """The lesson is then seen, which is not solved."""

    async def story(assistant: Assistant) -> None:
        told = await assistant.told("reveal_solution", lesson="1")
        assert told["diff"].startswith("--- yours/")

    tell(project, story, mode=mode, client=human("accept", reveal=True))
    record = load_progress(project).of(FIRST)
    assert record.solution_seen is not None
    assert record.done is None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("client", "text"),
    [
        (human("decline"), "does not want"),
        (human("accept", reveal=False), "does not want"),
        ({}, "headwater lesson reveal"),
    ],
    ids=["declined", "said no", "cannot be asked"],
)
def test_without_the_human_there_is_no_solution(
    project: Path, mode: str, client: dict[str, Any], text: str
) -> None:
    """Refused, and nothing is recorded; a program that cannot ask is told what the human types."""

    async def story(assistant: Assistant) -> str:
        return await assistant.refused("reveal_solution", lesson="1")

    assert text in tell(project, story, mode=mode, client=client)
    assert load_progress(project).of(FIRST).solution_seen is None


def test_claude_code_asks_its_human_as_well(project: Path) -> None:
    """The mark that no permission rule can skip is on that tool, and on no other."""

    async def story(assistant: Assistant) -> None:
        listed = (await assistant.client.list_tools()).tools
        marked = [tool.name for tool in listed if tool.meta]
        assert marked == ["reveal_solution"]

    tell(project, story)
