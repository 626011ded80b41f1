"""The whole course is proven, mutants included, and the page in the docs says what was seen."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from headwater_workshop.lessons import Lesson
from headwater_workshop.proof.matrix import row, section
from headwater_workshop.proof.proof import Proof, prove

from .parts import LESSONS, name_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "kill-matrix.md"

pytestmark = pytest.mark.prove


@cache
def proof(number: int) -> Proof:
    """A lesson's proof, made once."""
    return prove(next(each for each in LESSONS if each.number == number))


@pytest.mark.parametrize("lesson", LESSONS, ids=name_of)
def test_a_lesson_is_proven(lesson: Lesson) -> None:
    """Nothing wrong passes, nothing right fails, and 95 % of the mutants are found."""
    assert proof(lesson.number).faults == []


@pytest.mark.parametrize("lesson", LESSONS, ids=name_of)
def test_the_page_says_what_the_proof_shows(lesson: Lesson) -> None:
    """Its counts, its checks and its survivors are those of today.

    Which check is the first to find a mistake may depend on the moment: those cells are left out.

    `headwater lesson verify --all --page docs/reference/kill-matrix.md` writes it again.
    """
    head, *sections = PAGE.read_text(encoding="utf-8").split("\n## ")
    assert row(proof(lesson.number)) in head.splitlines(keepends=True)
    written = sections[LESSONS.index(lesson)]
    assert stable(section(proof(lesson.number))) == stable(f"\n## {written}")


def test_the_page_has_a_row_and_a_part_for_every_lesson() -> None:
    """And for none that is gone."""
    head, *sections = PAGE.read_text(encoding="utf-8").split("\n## ")
    numbers = [lesson.number for lesson in LESSONS]
    assert re.findall(r"^\| (\d+) ", head, re.MULTILINE) == [str(each) for each in numbers]
    assert [each.partition("\n")[0] for each in sections] == [f"Lesson {each}" for each in numbers]


def stable(text: str) -> list[str]:
    """The lines of the page, of a matrix the checks' names alone."""
    matrix = False
    found = []
    for line in text.splitlines():
        matrix = line.startswith("| Check") or (matrix and line.startswith("|"))
        found.append(line.split("|")[1].strip() if matrix else line)
    return found
