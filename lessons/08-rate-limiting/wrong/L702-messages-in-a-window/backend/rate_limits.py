"""How often somebody may do something."""

from headwater import AppError, MutationCtx

from backend.schema import Message


async def take_token(ctx: MutationCtx, key: str, *, burst: int, refill_ms: float) -> None:
    """Let `key` send `burst` messages in each window of time, or raise an AppError."""
    window_ms = burst * refill_ms
    start = ctx.now - ctx.now % window_ms
    messages = ctx.db.query(Message)
    sent = await messages.filter(lambda m: m.user_id == key and m.timestamp >= start).collect()
    if len(sent) >= burst:
        raise AppError({"code": "RATE_LIMITED", "retry_after_ms": start + window_ms - ctx.now})
