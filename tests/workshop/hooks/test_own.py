"""What of a lesson is the learner's."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater_workshop.hooks.own import edited_text, lesson_in_hand, regions, safe_lesson, touched
from headwater_workshop.lessons import find_lesson, load_lessons
from headwater_workshop.progress import progress_file, record_grade
from tests.workshop.hooks.payloads import AT, make

FILE = '''\
"""Tasks."""

LIMIT = 5


@query
async def one(ctx: QueryCtx) -> int:
    return 1


# About two.
@mutation
async def two(
    ctx: MutationCtx,
) -> int:
    return 2
'''
OWNED = {("backend/x.py", "two"), ("backend/x.py", "three")}


@pytest.mark.parametrize("lesson", load_lessons(), ids=lambda each: each.name)
def test_a_lesson_s_regions_are_what_its_solution_changes(lesson: object) -> None:
    """At least one, and each in a file that the lesson lets change."""
    found = regions(lesson)  # type: ignore[arg-type]  # a parameter's type is the test's id too
    assert found
    assert {file for file, _ in found} <= set(lesson.files)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("return 2", "return 3", ["two"]),
        ("@mutation", "@internal_mutation", ["two"]),
        ("return 1", "return 3", []),
        ("LIMIT = 5", "LIMIT = 6", []),
        (
            "    return 2\n",
            "    return 2\n\n\nasync def three() -> int:\n    return 3\n",
            ["three"],
        ),
        ("    return 2\n", "    # TODO(human): say what comes back\n    return 2\n", []),
        ("    return 2\n", "    return 2  # so\n    (\n", ["two"]),
        ("async def two(", "async def other(", ["two"]),
    ],
)
def test_an_edit_touches_what_it_changes(old: str, new: str, names: list[str]) -> None:
    """Signature, decorator, body or a new function of that name, also where nothing parses."""
    after = FILE.replace(old, new)
    assert touched("backend/x.py", FILE, after, OWNED) == names
    assert touched("backend/y.py", FILE, after, OWNED) == []


def test_an_edit_is_applied_as_the_tool_does() -> None:
    """Once or everywhere; text that is not there changes nothing."""
    given = {"old_string": "a", "new_string": "b"}
    assert edited_text("Edit", given, "aa") == "ba"
    assert edited_text("Edit", {**given, "replace_all": True}, "aa") == "bb"
    assert edited_text("Edit", given, "cc") == "cc"
    assert edited_text("Write", {"content": "x"}, "aa") == "x"


def test_a_lesson_is_in_hand_from_its_start_until_it_is_done(tmp_path: Path) -> None:
    """Not before, not after, and not when the record cannot be read."""
    assert lesson_in_hand(make(tmp_path / "before")) is None
    project = make(tmp_path, lesson="1")
    found = lesson_in_hand(project)
    assert found is not None
    assert found[0].number == 1
    lesson = find_lesson("1")
    record_grade(project, lesson, {each.id: True for each in lesson.objectives}, AT)
    assert lesson_in_hand(project) is None
    progress_file(project).write_text("{")
    assert safe_lesson(project) is None
