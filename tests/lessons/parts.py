"""What the tests of the course share: the lessons, and the code blocks of their pages and hints."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headwater_workshop.kit import lessons_tree
from headwater_workshop.lessons import Lesson, load_lessons

TREE = lessons_tree()
LESSONS = load_lessons(TREE)
NUMBERS = [0, *(lesson.number for lesson in LESSONS)]
WRONG = [(lesson, name) for lesson in LESSONS for name in lesson.wrong]
CHEATS = [(lesson, name) for lesson in LESSONS for name in lesson.cheats]
RIGHT = [(lesson, name) for lesson in LESSONS for name in lesson.right]

_BLOCK = re.compile(r'^```(\w*)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of Markdown."""

    language: str
    title: str
    code: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(*found.groups(default="")) for found in _BLOCK.finditer(text)]


def name_of(value: object) -> str | None:
    """How pytest calls a lesson in the name of a test."""
    return value.label if isinstance(value, Lesson) else None
