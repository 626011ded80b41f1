"""HW4xx: reading, writing and declaring data."""

from headwater.rules.model import Rule

RULES = [
    Rule(
        id="HW401",
        title="Index, then filter",
        mistake="`.filter()` as the query; an index or field that does not exist",
        rule="`.with_index(name, ...)` chooses what is read: equality fields in the index's order, "
        "then one range. `.filter()` only drops documents that were read.",
        why="each document is read, and a write to any invalidates the query",
        fix="read through an index: .with_index(name, field=value), then .filter() what is left",
        bad="""\
# backend/tasks.py
from headwater import Document, Index, QueryCtx, query


class Task(Document, table="tasks"):
    title: str
    assignee: str
    by_assignee = Index("assignee")


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    tasks = ctx.db.query(Task).filter(lambda task: task.assignee == assignee)  # <- HW401
    return await tasks.take(100)


@query
async def my_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_asignee", assignee=assignee).take(9)  # <- HW401
""",
        good="""\
# backend/tasks.py
from headwater import Document, Index, QueryCtx, query


class Task(Document, table="tasks"):
    title: str
    assignee: str
    completed: bool = False
    by_assignee = Index("assignee")


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    tasks = ctx.db.query(Task).with_index("by_assignee", assignee=assignee)
    return await tasks.filter(lambda task: not task.completed).order("desc").take(100)
""",
        stages=("S", "T"),
        lesson="L2",
    ),
]
