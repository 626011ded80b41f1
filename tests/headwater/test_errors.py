"""Errors: a tag, a sentence, and a next step."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from headwater import errors
from headwater.errors import AppError, HeadwaterError, RuleViolation, SchemaMismatch
from headwater.rules import rule

CLASSES = [
    member
    for _, member in inspect.getmembers(errors, inspect.isclass)
    if member.__module__ == errors.__name__
]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_is_ours(cls: type[Exception]) -> None:
    """One base class to catch them by."""
    assert issubclass(cls, HeadwaterError)


def test_the_fix_follows_the_sentence() -> None:
    """Where there is one."""
    assert errors.NotAuthenticated().message.partition("\n  Fix:  ")[2].startswith("sign in first")
    assert errors.Conflict().message == str(errors.Conflict())


@pytest.mark.parametrize(("data", "shown"), [("no", "no"), ({"code": 7}, "{'code': 7}")])
def test_an_app_error_shows_its_data(data: object, shown: str) -> None:
    """A text as it is."""
    assert str(AppError(data)) == shown
    assert AppError(data).data == data


def test_a_rule_says_what_where_and_where_to_read_more() -> None:
    """As `headwater check` words it."""
    told = rule("HW204").finding("sleeps", stage="T", path="backend/tasks.py", line=3, why="")
    error = RuleViolation(replace(told, fix="do not"))
    assert str(error).splitlines() == [
        "HW204 backend/tasks.py:3",
        "  What: sleeps.",
        "  Fix:  do not",
        "  More: headwater explain HW204",
    ]
    assert (error.message, error.code, error.where) == (str(error), "HW204", "backend/tasks.py:3")


def test_misfits_are_listed_and_counted() -> None:
    """One a line."""
    assert str(SchemaMismatch(["a", "b"], 3)).endswith("\n  a\n  b\n  ... and 3 more")
    assert "more" not in str(SchemaMismatch(["a"]))
