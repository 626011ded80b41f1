"""A token bucket in a table, kept as the time at which it will be full."""

from headwater import AppError, MutationCtx

from backend.schema import RateLimit


async def take_token(ctx: MutationCtx, key: str, *, burst: int, refill_ms: float) -> None:
    """Take one token of `key`, or raise an AppError that says when to come back.

    At `refilled_at` the bucket holds `tokens`, which are all that fit. Until then it lacks one for
    each `refill_ms`, so taking one moves that time on, and nothing is ever rounded.
    """
    bucket = await ctx.db.query(RateLimit).with_index("by_key", key=key).unique()
    full_at = ctx.now if bucket is None else max(ctx.now, bucket.refilled_at)
    wait_ms = full_at - ctx.now - (burst - 1) * refill_ms
    if wait_ms > 0:
        raise AppError({"code": "RATE_LIMITED", "retry_after_ms": wait_ms})
    later = full_at + refill_ms
    if bucket is None:
        await ctx.db.insert(RateLimit(key=key, tokens=float(burst), refilled_at=later))
    else:
        await ctx.db.patch(bucket.id, refilled_at=later)
