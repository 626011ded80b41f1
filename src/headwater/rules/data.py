"""HW4xx: reading, writing and declaring data."""

from headwater.rules.model import Rule

RULES = [
    Rule(
        id="HW401",
        title="Index, then filter",
        mistake="`.filter()` as the query; an index or field that does not exist",
        rule="`.with_index(name, ...)` chooses what is read: equal values in the index's "
        "order, then one range. `.filter()` only drops some of it.",
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
        stages=("S", "R", "T"),
        lesson="L2",
    ),
    Rule(
        id="HW402",
        title="Bound every read",
        mistake="`.collect()` of a table, `len()` of what was collected",
        rule="A read ends by `.take .paginate .first .unique`, or in a small range. Counts "
        "are documents.",
        why="each document is read and sent again after every write to any of them",
        fix="end the query with .take(100), .paginate(options), .first() or .unique()",
        bad="""\
# backend/tasks.py
from headwater import Document, Index, QueryCtx, query


class Task(Document, table="tasks"):
    title: str
    assignee: str
    by_assignee = Index("assignee")


@query
async def get_tasks(ctx: QueryCtx) -> list[Task]:
    return await ctx.db.query(Task).order("desc").collect()  # <- HW402


@query
async def count_tasks(ctx: QueryCtx, assignee: str) -> int:
    tasks = ctx.db.query(Task).with_index("by_assignee", assignee=assignee)
    return len(await tasks.collect())  # <- HW402
""",
        good="""\
# backend/tasks.py
from headwater import Document, Index, QueryCtx, query


class Task(Document, table="tasks"):
    title: str
    assignee: str
    by_assignee = Index("assignee")


class Counter(Document, table="counters"):
    key: str
    value: int
    by_key = Index("key")


@query
async def get_tasks(ctx: QueryCtx) -> list[Task]:
    return await ctx.db.query(Task).order("desc").take(100)


@query
async def count_tasks(ctx: QueryCtx, assignee: str) -> int:
    counter = await ctx.db.query(Counter).with_index("by_key", key=assignee).unique()
    return counter.value if counter else 0
""",
        stages=("S", "T"),
    ),
    Rule(
        id="HW403",
        title="No invented query API",
        mistake="SQL, an ORM, `.where`, `.all`, `.count`, `.skip`, `.limit`, `.find_many`",
        rule="Queries have `.with_index .filter .order .take .paginate .first .unique "
        ".collect`, `ctx.db` has `get insert patch replace delete query`; nothing else.",
        why="there is no such method, so the call fails when it runs",
        fix="ctx.db.query(Task).with_index(name, field=value).take(n)",
        bad="""\
# backend/tasks.py
from backend.schema import Task
from headwater import QueryCtx, query


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    return await ctx.db.query(Task).where(assignee=assignee).limit(10).all()  # <- HW403
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import QueryCtx, query


@query
async def get_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_assignee", assignee=assignee).take(10)
""",
        stages=("S", "T"),
    ),
    Rule(
        id="HW404",
        title="System fields and indexes",
        mistake="an `id`, `_id` or `created_at` of one's own; `creation_time` listed in an index",
        rule="`id` and `creation_time` are automatic. An index is named by its fields.",
        why="the runtime keeps id and creation_time, in every document and index",
        fix="leave the field out, and read .id and .creation_time",
        bad="""\
# backend/schema.py
from headwater import Document, Index


class Message(Document, table="messages"):
    room: str
    text: str
    created_at: float  # <- HW404
    by_room = Index("room", "creation_time")  # <- HW404
    newest = Index("text")  # <- HW404
""",
        good="""\
# backend/schema.py
from headwater import Document, Index


class Message(Document, table="messages"):
    room: str
    text: str
    by_room = Index("room")
    by_text = Index("text")
""",
        stages=("S", "R"),
        severity="warning",
    ),
    Rule(
        id="HW405",
        title="Honest types",
        mistake="`str` for an id, a field or word that the table has not, a list that only grows",
        rule="Ids are `Id[Table]`, choices are `Literal`, growing lists are tables of their own.",
        why="what the type says is what arrives and what is stored",
        fix="write Id[Task] for ids, Literal for choices, and a table for a list that grows",
        bad="""\
# backend/tasks.py
from typing import Literal

from headwater import Document, Id, MutationCtx, mutation


class Task(Document, table="tasks"):
    title: str
    status: Literal["open", "done"] = "open"


@mutation
async def complete(ctx: MutationCtx, id: Id[Task]) -> None:
    await ctx.db.patch(id, status="dune")  # <- HW405


@mutation
async def remove(ctx: MutationCtx, id: str) -> None:
    await ctx.db.delete(id)  # <- HW405
""",
        good="""\
# backend/tasks.py
from typing import Literal

from headwater import Document, Id, MutationCtx, mutation


class Task(Document, table="tasks"):
    title: str
    status: Literal["open", "done"] = "open"


@mutation
async def complete(ctx: MutationCtx, id: Id[Task]) -> None:
    await ctx.db.patch(id, status="done")


@mutation
async def remove(ctx: MutationCtx, id: Id[Task]) -> None:
    await ctx.db.delete(id)
""",
        stages=("S", "R", "T"),
        lesson="L1",
    ),
    Rule(
        id="HW406",
        title="Writes that stay small and true",
        mistake="reading in one call and writing in another; a loop that deletes all it finds",
        rule="Read and write in one mutation. A large job takes a batch, then schedules itself.",
        why="a transaction has limits, and what was read outside it may no longer be true",
        fix="read and write in one @internal_mutation; take a batch, then schedule the rest",
        bad="""\
# backend/tasks.py
from headwater import Document, Index, MutationCtx, internal_mutation


class Task(Document, table="tasks"):
    title: str
    project_id: str
    by_project = Index("project_id")


@internal_mutation
async def clear(ctx: MutationCtx, project_id: str) -> None:
    tasks = ctx.db.query(Task).with_index("by_project", project_id=project_id)
    async for task in tasks:  # <- HW406
        await ctx.db.delete(task.id)
""",
        good="""\
# backend/tasks.py
from headwater import Document, Index, MutationCtx, internal_mutation


class Task(Document, table="tasks"):
    title: str
    project_id: str
    by_project = Index("project_id")


@internal_mutation
async def clear(ctx: MutationCtx, project_id: str) -> None:
    tasks = ctx.db.query(Task).with_index("by_project", project_id=project_id)
    batch = await tasks.take(100)
    for task in batch:
        await ctx.db.delete(task.id)
    if len(batch) == 100:
        await ctx.scheduler.run_after(0, clear, project_id=project_id)
""",
        stages=("S", "T"),
        severity="warning",
    ),
]
