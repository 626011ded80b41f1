"""HW303 by where an argument goes: into a field that says whose a document is."""

from __future__ import annotations

from pathlib import Path

import pytest

from .backends import findings

NOTES = """
from headwater import (
    Document, Id, Index, MutationCtx, QueryCtx, internal_mutation, mutation, query,
)


class Note(Document, table="notes"):
    text: str
    author: str = ""
    created_by: str = ""
    {field}: str = ""
    by_{field} = Index("{field}")


@query
async def mine(ctx: QueryCtx) -> list[Note]:
    identity = await ctx.auth.require_identity()
    person = identity.email
    return await ctx.db.query(Note).with_index("by_{field}", {field}=person).take(9)


{function}
"""
PUT = """
@mutation
async def put(ctx: MutationCtx, {name}: str, text: str) -> None:
    await ctx.db.insert(Note(text=text, {field}={name}))
"""


def told(root: Path, field: str, function: str) -> list[str]:
    """What is found in a backend that reads this field by the identity, with one more function."""
    text = NOTES.format(field=field, function=function)
    return [f"{one.code} {one.severity} {one.what}" for one in findings(root, {"notes.py": text})]


@pytest.mark.parametrize("name", ["email", "owner", "somebody"])
@pytest.mark.parametrize("field", ["email", "assignee", "whose"])
def test_the_name_of_the_argument_is_nothing(tmp_path: Path, name: str, field: str) -> None:
    """What the backend reads by the identity is not to be filled by an argument."""
    said = f"HW303 warning {name} is an argument, and nobody asks who calls"
    assert told(tmp_path, field, PUT.format(name=name, field=field)) == [said]


def test_a_field_called_owner_is_one(tmp_path: Path) -> None:
    """Some names say it by themselves."""
    said = told(tmp_path, "email", PUT.format(name="who", field="created_by"))
    assert said == ["HW303 warning who is an argument, and nobody asks who calls"]


RIGHT = {
    "asks who calls, and gives it to somebody else": """
        @mutation
        async def give(ctx: MutationCtx, email: str) -> None:
            await ctx.auth.require_identity()
            await ctx.db.insert(Note(text="", email=email))
    """,
    "asks in a helper": """
        async def admin(ctx: MutationCtx) -> None:
            await ctx.auth.require_identity()

        @mutation
        async def give(ctx: MutationCtx, email: str) -> None:
            await admin(ctx)
            await ctx.db.insert(Note(text="", email=email))
    """,
    "is internal": """
        @internal_mutation
        async def give(ctx: MutationCtx, email: str) -> None:
            await ctx.db.insert(Note(text="", email=email))
    """,
    "stores something else": """
        @mutation
        async def put(ctx: MutationCtx, text: str) -> None:
            await ctx.db.insert(Note(text=text, email="nobody"))
    """,
    "takes a pen name": """
        @mutation
        async def put(ctx: MutationCtx, author: str) -> None:
            await ctx.db.insert(Note(text="", author=author))
    """,
    "computes it": """
        @mutation
        async def put(ctx: MutationCtx, email: str) -> None:
            email = "a" + email[:0]
            await ctx.db.insert(Note(text="", email=email))
    """,
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_functions_are_left_alone(tmp_path: Path, name: str) -> None:
    """Each of them knows who calls, or takes nobody's word for it."""
    from textwrap import dedent

    assert told(tmp_path, "email", dedent(RIGHT[name])) == []


def test_without_signing_in_there_is_nobody_to_ask(tmp_path: Path) -> None:
    """A backend that never asks who calls has other worries."""
    text = NOTES.format(field="email", function=PUT.format(name="email", field="email"))
    text = text.replace("identity = await ctx.auth.require_identity()", "identity = Note(text='')")
    assert findings(tmp_path, {"notes.py": text}) == []
