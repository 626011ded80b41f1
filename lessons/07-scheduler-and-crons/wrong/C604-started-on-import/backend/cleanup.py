"""What is no longer needed, taken away by itself."""

from uuid import uuid4

from headwater import MutationCtx, ScheduledFunction, internal_mutation

from backend.schema import RateLimit

BATCH = 100
PROCESS = uuid4().hex
DAY_MS = 24 * 3600 * 1000


@internal_mutation
async def old_rate_limits(ctx: MutationCtx) -> None:
    """Buckets that nobody has taken from for a day: they are full again, like no bucket at all."""
    limits = ctx.db.query(RateLimit)
    old = limits.with_index("by_refilled_at", refilled_at__lt=ctx.now - DAY_MS)
    found = await old.take(BATCH)
    for each in found:
        await ctx.db.delete(each.id)
    if len(found) == BATCH:
        await ctx.scheduler.run_after(0, old_rate_limits)


async def start_cleaning(ctx: MutationCtx) -> None:
    """Start the clean-up, once for each process; from then on it goes on by itself."""
    jobs = ctx.db.system.query(ScheduledFunction)
    waiting = await jobs.with_index("by_state", **{"state.kind": "pending"}).take(1_000)
    if not any(job.args[0].get("process") == PROCESS for job in waiting):
        await ctx.scheduler.run_after(DAY_MS, clean_up, process=PROCESS)


@internal_mutation
async def clean_up(ctx: MutationCtx, process: str) -> None:
    """Clean up, and again in a day."""
    await ctx.scheduler.run_after(0, old_rate_limits)
    await ctx.scheduler.run_after(DAY_MS, clean_up, process=process)
