"""Scheduled calls, for tests that kill the server among them."""

import asyncio
from collections import Counter as Count
from typing import Any

from backend.schema import Mark

from headwater import (
    ActionCtx,
    MutationCtx,
    QueryCtx,
    ScheduledFunction,
    internal_action,
    internal_mutation,
    mutation,
    query,
)


@internal_mutation
async def mark(ctx: MutationCtx, number: int) -> None:
    """One effect."""
    await ctx.db.insert(Mark(number=number))


@internal_action
async def hang(ctx: ActionCtx) -> None:
    """One effect, then a long wait."""
    await ctx.run_mutation(mark, number=1)
    await asyncio.sleep(600)


@internal_mutation
async def tick(ctx: MutationCtx) -> None:
    """A cron's effect."""
    await ctx.db.insert("ticks", {"at": ctx.now})


@mutation
async def schedule_many(ctx: MutationCtx, calls: int) -> None:
    """As many effects as may be scheduled at once."""
    for number in range(calls):
        await ctx.scheduler.run_after(0, mark, number=number)


@mutation
async def schedule_action(ctx: MutationCtx) -> None:
    """An action that does not end."""
    await ctx.scheduler.run_after(0, hang)


@mutation
async def schedule_later(ctx: MutationCtx, ms: float) -> None:
    """One effect after a while."""
    await ctx.scheduler.run_after(ms, mark, number=1)


@query
async def count(ctx: QueryCtx) -> int:
    """How many effects there are."""
    return len(await ctx.db.query(Mark).collect())


@query
async def numbers(ctx: QueryCtx) -> list[int]:
    """Which effects there are."""
    return sorted([found.number for found in await ctx.db.query(Mark).collect()])


@query
async def states(ctx: QueryCtx) -> dict[str, int]:
    """How many jobs of this module are in which state; the cron's are left out."""
    jobs = await ctx.db.system.query(ScheduledFunction).collect()
    return dict(Count(job.state.kind for job in jobs if "tick" not in job.name))


@query
async def last_error(ctx: QueryCtx) -> str | None:
    """Why the newest job failed."""
    jobs = await ctx.db.system.query(ScheduledFunction).order("desc").collect()
    return next((job.state.error for job in jobs if job.state.error), None)


@query
async def cron_runs(ctx: QueryCtx) -> int:
    """How often the cron ran."""
    return len(await ctx.db.query("ticks").collect())


@query
async def crons(ctx: QueryCtx) -> list[Any]:
    """The crons as they are stored."""
    return await ctx.db.system.query("_crons").collect()
