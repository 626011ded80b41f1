"""A token bucket in a table: taken in the same transaction as the write it protects."""

from headwater import AppError, MutationCtx

from backend.schema import RateLimit


async def take_token(ctx: MutationCtx, key: str, *, burst: int, refill_ms: float) -> None:
    """Take one token of `key`, or raise an AppError that says when to come back.

    A bucket holds at most `burst` tokens and gains one every `refill_ms`. Fractions are kept, so
    that who calls steadily is not robbed of the part of a token that had grown since the last call.
    """
    bucket = await ctx.db.query(RateLimit).with_index("by_key", key=key).unique()
    tokens = float(burst)
    if bucket is not None:
        grown = (ctx.now - bucket.refilled_at) / refill_ms
        tokens = min(float(burst), bucket.tokens + grown)
    if tokens < 1:
        raise AppError({"code": "RATE_LIMITED", "retry_after_ms": (1 - tokens) * refill_ms})
    if bucket is None:
        await ctx.db.insert(RateLimit(key=key, tokens=tokens - 1, refilled_at=ctx.now))
    else:
        await ctx.db.patch(bucket.id, tokens=tokens - 1, refilled_at=ctx.now)
