"""Numbers that are kept, not counted: changed in the same transaction as what they count."""

from headwater import Id, MutationCtx, QueryCtx

from backend.schema import Counter, Project


async def value_of(ctx: QueryCtx, key: str) -> int:
    """What a counter says; one that was never changed says 0."""
    counter = await ctx.db.query(Counter).with_index("by_key", key=key).unique()
    return 0 if counter is None else counter.value


async def bump(ctx: MutationCtx, key: str, by: int = 1) -> None:
    """Add to a counter, or take away."""
    counter = await ctx.db.query(Counter).with_index("by_key", key=key).unique()
    if counter is None:
        await ctx.db.insert(Counter(key=key, value=by))
    else:
        await ctx.db.patch(counter.id, value=counter.value + by)


async def count_open(ctx: MutationCtx, project_id: Id[Project] | None, by: int) -> None:
    """Change the counter of a project's open tasks; a task outside of projects is in none."""
    if project_id is not None:
        await bump(ctx, tasks_key(project_id, completed=False), by)


def tasks_key(project_id: Id[Project], *, completed: bool) -> str:
    """The counter of a project's open tasks, or of its completed ones."""
    return f"project:{project_id}:{'completed' if completed else 'open'}_tasks"
