"""Labs over a small backend whose handlers run in the test's own process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headwater.core.placement import InProcess
from headwater.loader import load
from headwater.settings import GUARDED, Limits
from headwater_workshop.lab.lab import Lab
from headwater_workshop.lab.stock import Stock

SCHEMA = """
from headwater import Document, Id, Index

class User(Document, table="users"):
    token_identifier: str
    subject: str
    name: str
    by_token_identifier = Index("token_identifier")

class Project(Document, table="projects"):
    name: str
    owner: str

class ProjectMember(Document, table="project_members"):
    project_id: Id[Project]
    user_id: Id[User]
    role: str
    by_project = Index("project_id", "user_id")

class Task(Document, table="tasks"):
    title: str
    done: bool = False
    at: float = 0
    by_done = Index("done")
"""
TASKS = """
import datetime, random, time
from headwater import (
    AppError, Id, MutationCtx, QueryCtx, internal_mutation, mutation, query
)
from backend.schema import Project, ProjectMember, Task, User

@query
async def titles(ctx: QueryCtx, done: bool) -> list[str]:
    tasks = await ctx.db.query(Task).with_index("by_done", done=done).take(100)
    return [task.title for task in tasks]

@mutation
async def add(ctx: MutationCtx, title: str) -> Id[Task]:
    print("adding", title)
    if title == "taken":
        raise AppError({"code": "TAKEN", "retry_after_ms": 900})
    return await ctx.db.insert(Task(title=title, at=ctx.now))

@mutation
async def finish(ctx: MutationCtx, id: Id[Task], title: str) -> None:
    await ctx.db.patch(id, done=True)
    other = await ctx.db.insert(Task(title=title))
    await ctx.db.replace(other, Task(title=title + "!"))
    extra = await ctx.db.insert(Task(title="extra"))
    await ctx.db.delete(extra)

@mutation
async def remove(ctx: MutationCtx, id: Id[Task]) -> None:
    await ctx.db.delete(id)

@mutation
async def remind(ctx: MutationCtx, delay_ms: float, fail: bool = False) -> None:
    await ctx.scheduler.run_after(delay_ms, note, title="reminder")
    if fail:
        raise ValueError("no")

@internal_mutation
async def note(ctx: MutationCtx, title: str) -> None:
    await ctx.db.insert(Task(title=title, at=ctx.now))

@internal_mutation
async def new_day(ctx: MutationCtx) -> None:
    await ctx.db.insert(Task(title="a new day", at=ctx.now))

@internal_mutation
async def for_ever(ctx: MutationCtx) -> None:
    await ctx.scheduler.run_after(1000, for_ever)

@mutation
async def opens(ctx: MutationCtx) -> None:
    open("/tmp/x")

@query
async def role(ctx: QueryCtx, project_id: Id[Project]) -> str:
    identity = await ctx.auth.require_identity()
    users = ctx.db.query(User).with_index(
        "by_token_identifier", token_identifier=identity.token_identifier)
    user = await users.unique()
    if user is None:
        return "stranger"
    member = await ctx.db.query(ProjectMember).with_index(
        "by_project", project_id=project_id, user_id=user.id).unique()
    return "nobody" if member is None else member.role

@query
async def who(ctx: QueryCtx) -> list[str | None]:
    identity = await ctx.auth.require_identity()
    return [identity.issuer, identity.given_name]
"""
CRONS = """
from headwater import Crons
from backend.tasks import new_day

crons = Crons()
crons.daily("note the day", new_day, hour_utc=0, minute_utc=0)
"""


def made_lab(
    folder: Path,
    *,
    crons: bool = False,
    files: dict[str, str] | None = None,
    seed: str = "7",
    stock: Stock | None = None,
) -> Lab:
    """A lab over the backend above.

    Args:
        crons: with its cron.
        files: another backend.
        stock: what was filled before.
    """
    backend = folder / "backend"
    backend.mkdir(exist_ok=True)
    files = files or {
        "schema.py": SCHEMA,
        "tasks.py": TASKS,
        **({"crons.py": CRONS} if crons else {}),
    }
    for name, text in files.items():
        (backend / name).write_text(text)
    placement: Any = InProcess(load(folder), Limits(), GUARDED)
    worlds: list[Any] = [InProcess(load(folder), Limits()) for _ in range(3)]
    return Lab(placement, {}, objective="L1.1", seed=seed, worlds=lambda: worlds, stock=stock)
