"""A bucket in memory, and a row in the table to look at."""

from headwater import AppError, MutationCtx

from backend.schema import RateLimit

BUCKETS: dict[str, tuple[float, float]] = {}


async def take_token(ctx: MutationCtx, key: str, *, burst: int, refill_ms: float) -> None:
    """Take one token of `key`, or raise an AppError that says when to come back."""
    row = await ctx.db.query(RateLimit).with_index("by_key", key=key).unique()
    tokens, refilled_at = BUCKETS.get(key, (float(burst), ctx.now))
    tokens = min(float(burst), tokens + (ctx.now - refilled_at) / refill_ms)
    if tokens < 1:
        raise AppError({"code": "RATE_LIMITED", "retry_after_ms": (1 - tokens) * refill_ms})
    BUCKETS[key] = (tokens - 1, ctx.now)
    if row is None:
        await ctx.db.insert(RateLimit(key=key, tokens=float(burst), refilled_at=ctx.now))
