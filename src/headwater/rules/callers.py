"""HW3xx: who may call what, and what an action may do."""

from headwater.rules.model import Rule

PAID = ("openai", "anthropic", "mistralai", "google.genai", "twilio", "sendgrid")
"""Packages whose calls cost money (HW304)."""

RULES = [
    Rule(
        id="HW301",
        title="Actions have no db",
        mistake="`ctx.db` in an action; two calls, or a loop of calls, where one would do",
        rule="An action has `ctx.run_query` and `ctx.run_mutation`; what belongs together is "
        "one call.",
        why="an action is no transaction, so its ctx has no database",
        fix="read with ctx.run_query(fn, ...), write with ctx.run_mutation(fn, ...)",
        bad="""\
# backend/weather.py
import httpx

from backend.schema import Weather
from headwater import ActionCtx, internal_action


@internal_action
async def refresh(ctx: ActionCtx, city: str) -> None:
    async with httpx.AsyncClient() as client:
        reply = await client.get("https://weather.example/today", params={"city": city})
    await ctx.db.insert(Weather(city=city, text=reply.text))  # <- HW301
""",
        good="""\
# backend/weather.py
import httpx

from backend.schema import Weather
from headwater import ActionCtx, MutationCtx, internal_action, internal_mutation


@internal_mutation
async def save(ctx: MutationCtx, city: str, text: str) -> None:
    await ctx.db.insert(Weather(city=city, text=text))


@internal_action
async def refresh(ctx: ActionCtx, city: str) -> None:
    async with httpx.AsyncClient() as client:
        reply = await client.get("https://weather.example/today", params={"city": city})
    await ctx.run_mutation(save, city=city, text=reply.text)
""",
        stages=("S", "T"),
    ),
    Rule(
        id="HW302",
        title="Internal by default",
        mistake="a public function as the target of `ctx.scheduler` or of a cron",
        rule="What the scheduler or a cron runs is an `@internal_...`. Public is what clients "
        "should call.",
        why="any client may run a public function, at any time and with any arguments",
        fix="make it an @internal_mutation or @internal_action; what clients call as well goes "
        "into a plain\nhelper that takes ctx",
        bad="""\
# backend/reminders.py
from backend.schema import Reminder
from headwater import Id, MutationCtx, mutation


@mutation
async def send(ctx: MutationCtx, id: Id[Reminder]) -> None:
    await ctx.db.patch(id, sent=True)


@mutation
async def create(ctx: MutationCtx, text: str) -> None:
    id = await ctx.db.insert(Reminder(text=text))
    await ctx.scheduler.run_after(60_000, send, id=id)  # <- HW302
""",
        good="""\
# backend/reminders.py
from backend.schema import Reminder
from headwater import Id, MutationCtx, internal_mutation, mutation


@internal_mutation
async def send(ctx: MutationCtx, id: Id[Reminder]) -> None:
    await ctx.db.patch(id, sent=True)


@mutation
async def create(ctx: MutationCtx, text: str) -> None:
    id = await ctx.db.insert(Reminder(text=text))
    await ctx.scheduler.run_after(60_000, send, id=id)
""",
        stages=("S", "R"),
    ),
    Rule(
        id="HW303",
        title="Identity from ctx",
        mistake="`user_id` as an argument, and nobody checks whose it is",
        rule="Who calls is `ctx.auth`, never an argument; check ownership before a write.",
        why="any client may send any argument",
        fix="identity = await ctx.auth.require_identity(), and key on its token_identifier\n"
        "(its subject is enough while one issuer signs everybody in)",
        bad="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, QueryCtx, mutation, query


@query
async def get_tasks(ctx: QueryCtx) -> list[Task]:
    identity = await ctx.auth.require_identity()
    owner = identity.token_identifier
    return await ctx.db.query(Task).with_index("by_owner", owner=owner).take(100)


@mutation
async def create(ctx: MutationCtx, user_id: str, title: str) -> Id[Task]:  # <- HW303
    return await ctx.db.insert(Task(title=title, owner=user_id))
""",
        good="""\
# backend/tasks.py
from backend.schema import Task
from headwater import Id, MutationCtx, mutation


@mutation
async def create(ctx: MutationCtx, title: str) -> Id[Task]:
    identity = await ctx.auth.require_identity()
    return await ctx.db.insert(Task(title=title, owner=identity.token_identifier))
""",
        stages=("S",),
        severity="warning",
    ),
    Rule(
        id="HW304",
        title="Limits on the server",
        mistake="a limit in the client only; a public action that costs money by the call",
        rule="What costs money takes a token first: a bucket in a table, `retry_after_ms`.",
        why="a client is not bound by what another client's code does",
        fix="take a token in a mutation first: await ctx.run_mutation(take_token, ...)",
        bad="""\
# backend/ai.py
from anthropic import AsyncAnthropic

from headwater import ActionCtx, action


@action
async def ask(ctx: ActionCtx, prompt: str) -> str:
    client = AsyncAnthropic()  # <- HW304
    reply = await client.completions.create(prompt=prompt)
    return str(reply)
""",
        good="""\
# backend/ai.py
from anthropic import AsyncAnthropic

from backend.rate_limits import take_token
from headwater import ActionCtx, action


@action
async def ask(ctx: ActionCtx, prompt: str) -> str:
    await ctx.run_mutation(take_token, key="ai:ask")
    client = AsyncAnthropic()
    reply = await client.completions.create(prompt=prompt)
    return str(reply)
""",
        stages=("S", "T"),
        severity="warning",
    ),
]
