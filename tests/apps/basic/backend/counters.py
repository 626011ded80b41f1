"""Counters: each acknowledged increment is there once."""

from backend.schema import Counter

from headwater import MutationCtx, QueryCtx, mutation, query


@query
async def read(ctx: QueryCtx, name: str) -> int:
    """The counter's value; 0 before the first increment."""
    counter = await ctx.db.query(Counter).with_index("by_name", name=name).unique()
    return 0 if counter is None else counter.value


@mutation
async def increment(ctx: MutationCtx, name: str) -> int:
    """Add one; gives the new value."""
    counter = await ctx.db.query(Counter).with_index("by_name", name=name).unique()
    if counter is None:
        await ctx.db.insert(Counter(name=name, value=1))
        return 1
    await ctx.db.patch(counter.id, value=counter.value + 1)
    return counter.value + 1
