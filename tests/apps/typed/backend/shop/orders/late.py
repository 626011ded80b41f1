"""A module in folders."""

from headwater import QueryCtx, query


@query
async def default(ctx: QueryCtx) -> float:
    """The module's default."""
    return 1.0
