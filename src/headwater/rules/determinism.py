"""HW2xx: what a query or mutation may not do, since it may be run again."""

from headwater.rules.model import Rule

RULES = [
    Rule(
        id="HW201",
        title="No clock in queries",
        mistake="`datetime.now()` or `time.time()` in a query or mutation",
        rule="A query takes the time as an argument, a mutation has `ctx.now` (frozen).",
        why="a query is not run again when time passes, and a mutation may be run twice",
        fix="in a mutation use ctx.now; give a query the time as an argument",
        bad="""\
# backend/tasks.py
import time

from backend.schema import Task
from headwater import MutationCtx, QueryCtx, mutation, query


@query
async def overdue(ctx: QueryCtx) -> list[Task]:
    now = time.time() * 1000  # <- HW201
    return await ctx.db.query(Task).with_index("by_due", due_at__lt=now).take(50)


@mutation
async def create(ctx: MutationCtx, title: str) -> None:
    await ctx.db.insert(Task(title=title, due_at=time.time() * 1000))  # <- HW201
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import MutationCtx, QueryCtx, mutation, query


@query
async def overdue(ctx: QueryCtx, now: float) -> list[Task]:
    return await ctx.db.query(Task).with_index("by_due", due_at__lt=now).take(50)


@mutation
async def create(ctx: MutationCtx, title: str) -> None:
    await ctx.db.insert(Task(title=title, due_at=ctx.now))
""",
        stages=("S", "T"),
    ),
    Rule(
        id="HW202",
        title="No ambient randomness",
        mistake="`uuid4()`, `random` or `secrets` in a query or mutation",
        rule="A mutation draws from `ctx.random`, a query draws none. Tokens are made in an "
        "action.",
        why="a call that is run again must come to the same result",
        fix="use ctx.random in a mutation; make secrets in an action and hand them on",
        bad="""\
# backend/games.py
import random

from backend.schema import Game
from headwater import Id, MutationCtx, mutation


@mutation
async def roll(ctx: MutationCtx, id: Id[Game]) -> int:
    dice = random.randint(1, 6)  # <- HW202
    await ctx.db.patch(id, dice=dice)
    return dice
""",
        good="""\
# backend/games.py
from backend.schema import Game
from headwater import Id, MutationCtx, mutation


@mutation
async def roll(ctx: MutationCtx, id: Id[Game]) -> int:
    dice = ctx.random.randint(1, 6)
    await ctx.db.patch(id, dice=dice)
    return dice
""",
        stages=("S", "T"),
    ),
    Rule(
        id="HW203",
        title="No I/O in queries and mutations",
        mistake="an HTTP request, a file, a subprocess or another database in a query or mutation",
        rule="Only actions reach the outside world. A query or mutation has `ctx.db`.",
        why="it may be run again and must do nothing but read and write through ctx.db",
        fix="move the call into an @internal_action, and let an action bring its result back with\n"
        "await ctx.run_mutation(save, ...)",
        bad="""\
# backend/weather.py
import httpx

from headwater import QueryCtx, query


@query
async def forecast(ctx: QueryCtx, city: str) -> str:
    return httpx.get("https://weather.example/today", params={"city": city}).text  # <- HW203
""",
        good="""\
# backend/weather.py
import httpx

from headwater import ActionCtx, action


@action
async def forecast(ctx: ActionCtx, city: str) -> str:
    async with httpx.AsyncClient() as client:
        reply = await client.get("https://weather.example/today", params={"city": city})
    return reply.text
""",
        stages=("S", "T"),
        lesson="L2",
    ),
    Rule(
        id="HW204",
        title="No timers or tasks",
        mistake="`asyncio.sleep`, `create_task` or a thread in a query or mutation",
        rule="Later, or in the background, is `ctx.scheduler.run_after` with an internal function.",
        why="it holds a transaction open, and what it starts would outlive that transaction",
        fix="schedule an internal function: await ctx.scheduler.run_after(60_000, send, ...)",
        bad="""\
# backend/reminders.py
import asyncio

from backend.schema import Reminder
from headwater import Id, MutationCtx, mutation


@mutation
async def remind(ctx: MutationCtx, id: Id[Reminder]) -> None:
    await asyncio.sleep(60)  # <- HW204
    await ctx.db.patch(id, sent=True)
""",
        good="""\
# backend/reminders.py
from backend.schema import Reminder
from headwater import Id, MutationCtx, internal_mutation, mutation


@internal_mutation
async def send(ctx: MutationCtx, id: Id[Reminder]) -> None:
    await ctx.db.patch(id, sent=True)


@mutation
async def remind(ctx: MutationCtx, id: Id[Reminder]) -> None:
    await ctx.scheduler.run_after(60_000, send, id=id)
""",
        stages=("S", "T"),
    ),
    Rule(
        id="HW205",
        title="Await everything",
        mistake="`ctx.db.insert(...)` without `await`",
        rule="Every `ctx` call is awaited before the function returns; nothing is left open.",
        why="a ctx call does nothing until it is awaited, so the write is lost without a word",
        fix="put `await` in front of the call; several at once go into asyncio.gather",
        bad="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation


@mutation
async def complete(ctx: MutationCtx, id: Id[Task]) -> None:
    ctx.db.patch(id, completed=True)  # <- HW205
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation


@mutation
async def complete(ctx: MutationCtx, id: Id[Task]) -> None:
    await ctx.db.patch(id, completed=True)
""",
        stages=("S", "T"),
    ),
    Rule(
        id="HW206",
        title="No shared state between calls",
        mistake="a module cache, `global`, a `ctx` or document kept for a later call",
        rule="A query or mutation keeps nothing for another call, but through `ctx.db`.",
        why="a ctx ends with its call, and what a module remembers is in no transaction",
        fix="keep it in a table, and read and write it through the ctx your function is given",
        bad="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation

latest: dict[str, Id[Task]] = {}


@mutation
async def create(ctx: MutationCtx, title: str) -> Id[Task]:
    id = await ctx.db.insert(Task(title=title))
    latest[title] = id  # <- HW206
    return id
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation


@mutation
async def create(ctx: MutationCtx, title: str) -> Id[Task]:
    return await ctx.db.insert(Task(title=title))
""",
        stages=("S", "T"),
    ),
]
