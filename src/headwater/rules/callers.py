"""HW3xx: who may call what, and what an action may do."""

from headwater.rules.model import Rule

RULES = [
    Rule(
        id="HW302",
        title="Internal by default",
        mistake="a public function as the target of `ctx.scheduler` or of a cron",
        rule="What runs by itself is an `@internal_mutation` or `@internal_action`. A public "
        "function is one that clients should call.",
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
