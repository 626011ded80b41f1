"""The course's code is right: it loads, and the checker has nothing to say about it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from headwater.check import check_project
from headwater.testing import Backend
from headwater_workshop.course import lesson_files
from headwater_workshop.kit import kit_root
from headwater_workshop.lessons import Lesson
from headwater_workshop.stages import complete, stage, started, variant, write

from .parts import LESSONS, NUMBERS, RIGHT, blocks, name_of

Tree = dict[str, bytes]


def stages_and_right_solutions() -> list[tuple[str, Callable[[], Tree]]]:
    """Every state of the project that the course calls right, by name."""
    states: list[tuple[str, Callable[[], Tree]]] = [("complete", complete)]
    states += [(f"stage {number}", partial(stage, number)) for number in NUMBERS]
    states += [(name, partial(variant, lesson, f"right/{name}")) for lesson, name in RIGHT]
    return states


RIGHT_STATES = stages_and_right_solutions()


@pytest.mark.parametrize(
    "tree", [tree for _, tree in RIGHT_STATES], ids=[name for name, _ in RIGHT_STATES]
)
def test_right_code_is_check_clean(tree: Callable[[], Tree], tmp_path: Path) -> None:
    """Who has solved a lesson is not told off by `headwater check`."""
    write(tree(), tmp_path)
    assert [str(finding) for finding in check_project(tmp_path)] == []


@pytest.mark.parametrize("lesson", LESSONS, ids=name_of)
def test_modules_on_the_page_load_and_are_check_clean(lesson: Lesson, tmp_path: Path) -> None:
    """An example may be saved into the project under the name it shows."""
    examples = [each for each in blocks(lesson.text) if each.title.startswith("backend/")]
    assert examples
    write(started(lesson) | {each.title: each.code.encode() for each in examples}, tmp_path)
    Backend.load(tmp_path).close()
    found = [finding for finding in check_project(tmp_path) if finding.path in _titles(lesson)]
    assert [str(finding) for finding in found] == []


@pytest.mark.parametrize(("lesson", "name"), RIGHT, ids=lambda value: name_of(value) or value)
def test_the_next_lesson_can_begin_on_any_right_solution(
    lesson: Lesson, name: str, tmp_path: Path
) -> None:
    """What `lesson start` lays fits into a project that was solved in another way, also when
    lessons in between were left out.
    """
    solved = variant(lesson, f"right/{name}")
    for following in LESSONS:
        if following.number <= lesson.number:
            continue
        write(solved | lesson_files(following, solved), tmp_path / following.name)
        Backend.load(tmp_path / following.name).close()


@pytest.mark.parametrize("lesson", LESSONS, ids=name_of)
def test_a_wrong_solution_loads(lesson: Lesson, tmp_path: Path) -> None:
    """Its mistake is in what it does: the grader must find it, not the import."""
    for name in lesson.wrong:
        write(variant(lesson, f"wrong/{name}"), tmp_path / name)
        Backend.load(tmp_path / name).close()


@pytest.mark.parametrize("lesson", LESSONS, ids=name_of)
def test_code_of_a_page_on_a_page_is_the_templates(lesson: Lesson) -> None:
    """What is shown in TypeScript stands in the project's own page, which is built and run."""
    folder = kit_root() / "template" / "{% if frontend == 'react' %}frontend{% endif %}" / "src"
    files = [_flush(path.read_text(encoding="utf-8")) for path in folder.glob("*.tsx")]
    for each in blocks(lesson.text):
        if each.language == "tsx":
            assert any(_flush(each.code) in text for text in files), each.code


def _flush(text: str) -> str:
    """A text with every line at the left, to be found wherever it is indented."""
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _titles(lesson: Lesson) -> set[str]:
    return {each.title for each in blocks(lesson.text)}
