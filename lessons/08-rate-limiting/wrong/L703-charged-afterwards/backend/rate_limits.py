"""A token bucket in a table: looked at first, and charged after the call."""

from headwater import AppError, MutationCtx, internal_mutation

from backend.schema import RateLimit


async def take_token(ctx: MutationCtx, key: str, *, burst: int, refill_ms: float) -> None:
    """Look whether `key` has a token, and have it taken; or raise an AppError."""
    tokens, _ = await look(ctx, key, burst, refill_ms)
    if tokens < 1:
        raise AppError({"code": "RATE_LIMITED", "retry_after_ms": (1 - tokens) * refill_ms})
    await ctx.scheduler.run_after(0, charge, key=key, burst=burst, refill_ms=refill_ms)


@internal_mutation
async def charge(ctx: MutationCtx, key: str, burst: int, refill_ms: float) -> None:
    """Take the token of a call that was let through."""
    tokens, bucket = await look(ctx, key, burst, refill_ms)
    if bucket is None:
        await ctx.db.insert(RateLimit(key=key, tokens=tokens - 1, refilled_at=ctx.now))
    else:
        await ctx.db.patch(bucket.id, tokens=tokens - 1, refilled_at=ctx.now)


async def look(
    ctx: MutationCtx, key: str, burst: int, refill_ms: float
) -> tuple[float, RateLimit | None]:
    """The tokens of `key` now, and its bucket."""
    bucket = await ctx.db.query(RateLimit).with_index("by_key", key=key).unique()
    if bucket is None:
        return float(burst), None
    grown = (ctx.now - bucket.refilled_at) / refill_ms
    return min(float(burst), bucket.tokens + grown), bucket
