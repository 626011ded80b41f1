"""How lesson checks are written and read."""

from __future__ import annotations

import re

import pytest

from headwater.rules import RULES
from headwater_workshop.checks import load_checks
from headwater_workshop.course import allowed
from headwater_workshop.lessons import Lesson, load_lessons

SOURCE = """
from headwater_workshop.checks import Lab, check

@check(objective="L9.1", title="Second by name, first in the file")
def b_first(lab: Lab) -> None: ...

@check(objective="L9.2", title="Needs it", needs=("b_first",))
def a_second(lab: Lab) -> None: ...
"""


def test_checks_are_read_in_the_order_they_are_written() -> None:
    """Name, objective, title and needs are those of the file."""
    first, second = load_checks(SOURCE, "09-x")
    assert (first.name, first.objective, second.needs) == ("b_first", "L9.1", ("b_first",))


def test_a_need_that_does_not_stand_before_it_is_refused() -> None:
    """A check can only need one that has been run by then."""
    with pytest.raises(ValueError, match="check a_second needs c, not seen before it"):
        load_checks(SOURCE.replace('needs=("b_first",)', 'needs=("c",)'), "09-x")


@pytest.mark.parametrize("lesson", load_lessons(), ids=lambda lesson: lesson.label)
def test_what_a_finding_says_to_read_is_there(lesson: Lesson) -> None:
    """Rules that checks name can be explained, lessons that they name can be shown."""
    source = lesson.read("tests/checks.py")
    named = set(re.findall(r'more="(\w+)"', source))
    known = {*RULES, *(each.label for each in load_lessons())}
    assert named
    assert named <= known


@pytest.mark.parametrize("lesson", load_lessons(), ids=lambda lesson: lesson.label)
def test_every_objective_has_a_check(lesson: Lesson) -> None:
    """No objective is met without being asked for, and no check belongs to none."""
    checks = load_checks(lesson.read("tests/checks.py"), lesson.name)
    assert {each.objective for each in checks} == {each.id for each in lesson.objectives}


@pytest.mark.parametrize("lesson", load_lessons(), ids=lambda lesson: lesson.label)
def test_every_objective_has_a_place_and_a_rule(lesson: Lesson) -> None:
    """A failed check says where to look, in a file of the lesson, and which rule it is about, where
    a rule is.
    """
    checks = load_checks(lesson.read("tests/checks.py"), lesson.name)
    places = {each.place.split()[0] for each in checks if each.place}
    assert {each.rule for each in checks} - {""} <= RULES.keys()
    assert [place for place in places if not allowed(lesson, place)] == []
    for objective in lesson.objectives:
        own = [each for each in checks if each.objective == objective.id]
        assert any(each.place for each in own), objective.id
