"""What is no longer needed, taken away by itself."""

from headwater import MutationCtx, internal_mutation

from backend.schema import RateLimit

BATCH = 100
DAY_MS = 24 * 3600 * 1000


@internal_mutation
async def old_rate_limits(ctx: MutationCtx) -> None:
    """Buckets that nobody has taken from for a day: they are full again, like no bucket at all."""
    limits = ctx.db.query(RateLimit)
    old = limits.with_index("by_refilled_at", refilled_at__lt=ctx.now - DAY_MS)
    for each in await old.take(1_000):
        await ctx.db.delete(each.id)
