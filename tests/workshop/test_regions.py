"""The learner's part of a file: what changes it, and what does not."""

from __future__ import annotations

import pytest

from headwater_workshop.own.regions import changed_regions, regions, too_many_todos

FILE = '''import os

Kind = str | int


@query
async def listed(ctx):
    """Said."""
    return []


def helper():
    return 1
'''


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("return []", "return [1]", ["listed"]),
        ("@query\n", "", ["listed"]),
        ('"""Said."""', '"""Said."""\n    # return [1]', ["listed"]),
        ("str | int", "int", ["Kind"]),
        ("def helper", "async def listed(ctx): ...\n\n\ndef helper", ["listed"]),
        ("def helper", "listed = 1\n\n\ndef helper", ["listed"]),
        ("import os", "try:\n    listed = 1\nfinally:\n    pass", ["listed"]),
        ("return 1", "return 2", []),
        ("import os", "import os\nimport re", []),
        ("    return []", "    # TODO(human): which index?\n    return []", []),
        ("    return []", f"    # TODO(human): {'x' * 200}\n    return []", ["listed"]),
        ("return 1", "return (", ["listed", "Kind"]),
    ],
)
def test_an_edit_changes_a_part_or_not(old: str, new: str, changed: list[str]) -> None:
    """Code, decorators and comments of a named statement are its text; one short mark is not."""
    assert old in FILE
    assert changed_regions(FILE, FILE.replace(old, new), ["listed", "Kind"]) == changed


def test_what_is_not_there_yet_is_protected_too() -> None:
    """Writing the function that the learner is to write is a change of their part."""
    assert changed_regions("", "async def made(): ...", ["made"]) == ["made"]
    assert changed_regions("x: int = 1\n", "x: int = 2\n", ["x"]) == ["x"]


def test_a_name_given_twice_has_two_texts() -> None:
    """The second one counts at run time, so both are looked at."""
    assert regions("a = 1\nif a:\n    a = 2\n") == {"a": ["a = 1", "    a = 2"]}


def test_one_mark_at_a_time() -> None:
    """A second TODO(human) is one question too many."""
    one = "# TODO(human): a\n"
    assert not too_many_todos("", one)
    assert too_many_todos(one, one * 2)
    assert not too_many_todos(one * 2, one * 2)
