"""`# headwater: allow HW401 -- reason` silences a rule at its place, and only with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from .backends import findings, marked

ALLOWED = {
    "on the line": """
        @query
        async def all(ctx: QueryCtx) -> list[Task]:
            tasks = ctx.db.query(Task)
            return await tasks.filter(bool).take(9)  # headwater: allow HW401 -- ten tasks at most
    """,
    "on the line above": """
        @mutation
        async def save(ctx: MutationCtx) -> None:
            # headwater: allow HW203 -- a fixed file that ships with the code
            open("words.txt")
    """,
    "above the statement of a long chain, over two lines": """
        @query
        async def all(ctx: QueryCtx) -> list[Task]:
            # headwater: allow HW401 -- the table has one document per room,
            # and there are six rooms
            return await (
                ctx.db.query(Task)
                .filter(lambda t: t.completed)
                .take(9)
            )
    """,
    "above the decorator": """
        from typing import Any

        # headwater: allow HW103 -- a webhook's body, whatever it is
        @internal_mutation
        async def keep(
            ctx: MutationCtx,
            body: Any,
        ) -> None: ...
    """,
    "several rules at once": """
        from typing import Any

        @mutation
        # headwater: allow HW103, HW203 -- shown in the talk on wrong code
        async def keep(ctx: MutationCtx, body: Any) -> None: open("x")
    """,
}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_reason_silences_the_rule_there(tmp_path: Path, name: str) -> None:
    """On the line, above it, or above its statement."""
    assert [finding.render() for finding in findings(tmp_path, ALLOWED[name])] == []


REFUSED = {
    "another place": """
        # headwater: allow HW203 -- not here
        @mutation
        async def save(ctx: MutationCtx) -> None:
            open("words.txt")  # <- HW203
    """,
    "another rule": """
        @mutation
        async def save(ctx: MutationCtx) -> None:
            # headwater: allow HW401 -- the wrong number
            open("words.txt")  # <- HW203
    """,
    "in a text": """
        @mutation
        async def save(ctx: MutationCtx) -> None:
            text = "# headwater: allow HW203 -- no comment"
            open(text)  # <- HW203
    """,
    "no reason": """
        @mutation
        async def save(ctx: MutationCtx) -> None:
            # headwater: allow HW203 # <- HW000
            open("words.txt")
    """,
    "no rule": """
        # headwater: allow  # <- HW000
        x = 1
    """,
    "no such rule": """
        # headwater: allow HW999 -- whatever # <- HW000
        x = 1
    """,
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_silences_nothing_or_is_found(tmp_path: Path, name: str) -> None:
    """A comment elsewhere has no effect; one without a reason or a rule is itself a finding."""
    assert [(f.code, f.line) for f in findings(tmp_path, REFUSED[name])] == marked(REFUSED[name])


def test_a_comment_without_a_reason_says_how_to_give_one(tmp_path: Path) -> None:
    """What is missing, why, and the line to write."""
    (finding,) = findings(tmp_path, "x = 1  # headwater: allow HW401\n")
    assert finding.parts() == [
        (
            "What",
            "allows HW401 without a reason; the next reader has to know why the rule does not "
            "hold here.",
        ),
        ("Fix", "write it behind two dashes: # headwater: allow HW401 -- <reason>"),
        ("More", "headwater explain HW000"),
    ]


def test_dashes_with_nothing_behind_them_are_no_reason(tmp_path: Path) -> None:
    """The dashes alone explain nothing."""
    (finding,) = findings(tmp_path, "x = 1  # headwater: allow HW401 --  \n")
    assert finding.what == "allows HW401 without a reason"


def test_a_number_that_is_no_rule_gets_a_suggestion(tmp_path: Path) -> None:
    """`HW4011` was meant to be another."""
    (finding,) = findings(tmp_path, "x = 1  # headwater: allow HW4011 -- reason\n")
    assert finding.what == "allows HW4011, which is no rule"
    assert finding.fix == "did you mean HW401?"
