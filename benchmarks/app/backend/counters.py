"""A counter that many clients increment at once."""

from backend.schema import Counter

from headwater import MutationCtx, mutation


@mutation
async def increment(ctx: MutationCtx, name: str) -> int:
    """Add one to a counter and return its new value."""
    counter = await ctx.db.query(Counter).with_index("by_name", name=name).unique()
    if counter is None:
        await ctx.db.insert(Counter(name=name, value=1))
        return 1
    await ctx.db.patch(counter.id, value=counter.value + 1)
    return counter.value + 1
