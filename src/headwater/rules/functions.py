"""HW1xx: what the backend's functions are, and where they live."""

from headwater.rules.model import Rule

RULES = [
    Rule(
        id="HW101",
        title="Functions, not routes",
        mistake="FastAPI, Flask or Django handlers for app logic",
        rule="Logic is a `@query`, `@mutation` or `@action`. A route is for webhooks and files.",
        why="nobody can subscribe to a route",
        fix="make it a function:\n@query\nasync def get_tasks(ctx: QueryCtx) -> list[Task]: ...",
        bad="""\
# backend/tasks.py
from fastapi import APIRouter

router = APIRouter()


@router.get("/tasks")  # <- HW101
async def get_tasks(assignee: str) -> list[str]:
    return [f"read the tasks of {assignee}"]
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import QueryCtx, query


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_assignee", assignee=assignee).take(100)
""",
        stages=("S", "R"),
    ),
    Rule(
        id="HW102",
        title="Code in its place",
        mistake="functions in `src/api/`, `server/` or the project's root",
        rule="Functions live in `backend/<domain>.py`; schema, crons, routes, settings have "
        "their files.",
        why="only backend/ is loaded, and special files are found by their names",
        fix="move the file to backend/, named after its domain",
        bad="""\
# server/tasks.py
from headwater import QueryCtx, query


@query
async def word(ctx: QueryCtx) -> str:  # <- HW102
    return "hello"
""",
        good="""\
# backend/words.py
from headwater import QueryCtx, query


@query
async def word(ctx: QueryCtx) -> str:
    return "hello"
""",
        stages=("S", "R"),
    ),
    Rule(
        id="HW103",
        title="Typed arguments and returns",
        mistake="arguments without a type, `Any` or `dict`, then checked by hand inside",
        rule="Every function is `async def`, takes `ctx` first, and types each parameter and "
        "its return. `Any` needs a reason.",
        why="the signature is what refuses wrong calls",
        fix="write the type, for example `title: str`, `Id[Task]`, or a class derived from Model",
        bad="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation


@mutation
async def create(ctx: MutationCtx, data: dict) -> Id[Task]:  # <- HW103
    if "title" not in data:
        raise ValueError("title is missing")
    return await ctx.db.insert(Task(title=data["title"], assignee=data["assignee"]))
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation


@mutation
async def create(ctx: MutationCtx, title: str, assignee: str) -> Id[Task]:
    return await ctx.db.insert(Task(title=title, assignee=assignee))
""",
        stages=("S", "R", "T"),
        lesson="L1",
    ),
    Rule(
        id="HW104",
        title="References, not calls",
        mistake="calling a registered function from another function",
        rule="A registered function is never called: share a helper that takes `ctx`.",
        why="a call past the runtime skips its validation, its own ctx and its transaction",
        fix="move the shared code into a plain helper that takes ctx, or run it by reference:\n"
        "await ctx.run_query(get_tasks, assignee=assignee)",
        bad="""\
# backend/tasks.py
from backend.schema import Task
from headwater import MutationCtx, QueryCtx, mutation, query


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_assignee", assignee=assignee).take(100)


@mutation
async def complete_all(ctx: MutationCtx, assignee: str) -> None:
    for task in await get_tasks(ctx, assignee):  # <- HW104
        await ctx.db.patch(task.id, completed=True)
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import MutationCtx, QueryCtx, mutation, query


async def tasks_of(ctx: QueryCtx | MutationCtx, assignee: str) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_assignee", assignee=assignee).take(100)


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    return await tasks_of(ctx, assignee)


@mutation
async def complete_all(ctx: MutationCtx, assignee: str) -> None:
    for task in await tasks_of(ctx, assignee):
        await ctx.db.patch(task.id, completed=True)
""",
        stages=("S", "R", "T"),
    ),
]
