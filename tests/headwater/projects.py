"""Small projects written to disk by tests."""

from __future__ import annotations

import textwrap
from pathlib import Path

TASKS = """
from headwater import Document, MutationCtx, QueryCtx, mutation, query


class Task(Document, table="tasks"):
    title: str


@mutation
async def add(ctx: MutationCtx, title: str, copies: int = 1) -> int:
    for _ in range(copies):
        await ctx.db.insert(Task(title=title))
    print("added", title)
    return copies


@query
async def titles(ctx: QueryCtx) -> list[str]:
    return [task.title for task in await ctx.db.query(Task).collect()]


@query
async def who(ctx: QueryCtx) -> str:
    return (await ctx.auth.require_identity()).subject
"""


def write_project(root: Path, **files: str) -> Path:
    """A project whose backend has these modules; `a__b` is `a/b.py`."""
    for name, text in files.items():
        file = root / "backend" / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"))
    return root
