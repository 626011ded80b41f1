"""HW3xx: who may call what, and what an action may do."""

from headwater.rules.model import Rule

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
]
