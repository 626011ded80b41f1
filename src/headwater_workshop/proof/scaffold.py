"""The beginning of a lesson: every file it needs, as a draft that nobody is shown yet."""

from __future__ import annotations

import re

from headwater_workshop.kit import KitError
from headwater_workshop.lessons import RUNGS, Lesson

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_TOML = """\
number = {number}
name = "{name}"
title = "{title}"
question = "{question}"
draft = true
minutes = 25
minutes_short = 0
objectives = [
  {{ id = "L{number}.1", text = "What one can do afterwards, and what the grader reports on." }},
]
files = ["backend/tasks.py", "tests/**"]
targets = ["backend/tasks.py:create_task"]

[hints]
"L{number}.1" = [
{rungs}]
"""
_RUNGS = (
    "The goal, and what the failing check did.",
    "A question that leads there.",
    "Where to look: file, name, rule.",
    "The steps, in words.",
    "The same in another domain, as code.",
    "Nearly all of it, with one blank.",
)
_PAGE = """\
# Lesson {number}: {title}

**Question.** {question}

25 minutes; not in the short workshop.

## Afterwards you can

- what one can do afterwards, and what the grader reports on.

## Before you start

## Predict

## Ask the assistant

## Task 1: the first step

## Task 2: the second step

## Checkpoint

## Key points

## Out of scope

## Closing question

## For the instructor

- **Usual stall.**
- **Demo failure.**
- **When to go on.**
"""
_CHECKS = '''\
"""What lesson {number} asks of a project."""

from headwater_workshop.checks import Lab, check


@check(objective="L{number}.1", title="tasks:createTask is a public mutation")
def contract(lab: Lab) -> None:
    lab.expect_function("tasks:createTask", "mutation")
'''


def scaffold(title: str, name: str, lessons: tuple[Lesson, ...]) -> dict[str, str]:
    """The files of the next lesson, by their path below `lessons/`.

    Raises:
        KitError: the name is no folder's, or taken.
    """
    if not _NAME.fullmatch(name):
        fix = "use lower-case words with hyphens between them: rate-limiting"
        raise KitError(f"{name!r} cannot name a lesson.", where="headwater lesson new", fix=fix)
    taken = [lesson for lesson in lessons if lesson.name[3:] == name]
    if taken:
        where = f"lessons/{taken[0].name}"
        raise KitError(f"There is a lesson {name} already.", where=where, fix="choose another name")
    facts = {"number": len(lessons) + 1, "name": name, "title": title, "question": f"{title}?"}
    folder = f"{facts['number']:02}-{name}"
    assert len(_RUNGS) == RUNGS
    rungs = "".join(f'  "{text}",\n' for text in _RUNGS)
    return {
        f"{folder}/lesson.toml": _TOML.format(**facts, rungs=rungs),
        f"{folder}/lesson.md": _PAGE.format(**facts),
        f"{folder}/tests/checks.py": _CHECKS.format(**facts),
    }
