"""Functions that fail, each in its own way."""

from typing import Any

from backend.schema import Counter

from headwater import ActionCtx, AppError, MutationCtx, QueryCtx, action, mutation, query

REFUSAL = {"code": "RATE_LIMITED", "retryAfterMs": 900}


@query
async def refused_query(ctx: QueryCtx, name: str) -> int:
    """Refuses with data once the counter of that name exists."""
    counter = await ctx.db.query(Counter).with_index("by_name", name=name).unique()
    if counter is not None:
        raise AppError(REFUSAL)
    return 0


@query
async def broken_query(ctx: QueryCtx) -> int:
    """Divides by zero."""
    return 1 // 0


@mutation
async def refused(ctx: MutationCtx, data: Any) -> None:
    """Refuses with whatever data it is given."""
    raise AppError(data)


@mutation
async def broken(ctx: MutationCtx) -> None:
    """Fails as code with a mistake does."""
    raise ValueError("the cable is out")


@mutation
async def broken_after_write(ctx: MutationCtx, name: str) -> None:
    """Writes, then fails: nothing of it may stay."""
    await ctx.db.insert(Counter(name=name, value=1))
    raise ValueError("after the write")


@action
async def refused_action(ctx: ActionCtx) -> None:
    """An action that refuses with data."""
    raise AppError(REFUSAL)
