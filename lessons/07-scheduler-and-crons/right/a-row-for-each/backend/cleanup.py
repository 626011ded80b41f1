"""What is no longer needed, taken away by itself."""

from headwater import MutationCtx, PaginationOptions, internal_mutation

from backend.schema import RateLimit

BATCH = 100
DAY_MS = 24 * 3600 * 1000


@internal_mutation
async def old_rate_limits(ctx: MutationCtx, batch: int = BATCH) -> None:
    """Buckets that nobody has taken from for a day: they are full again, like no bucket at all."""
    first = PaginationOptions(num_items=batch, cursor=None)
    limits = ctx.db.query(RateLimit)
    old = limits.with_index("by_refilled_at", refilled_at__lt=ctx.now - DAY_MS)
    found = await old.paginate(first)
    for each in found.page:
        await ctx.db.delete(each.id)
    if not found.is_done:
        await ctx.scheduler.run_after(1_000, old_rate_limits, batch=batch)
