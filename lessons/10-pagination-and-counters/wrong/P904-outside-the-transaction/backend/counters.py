"""Numbers that are kept, not counted: changed in the same transaction as what they count."""

from headwater import Id, MutationCtx, QueryCtx, internal_mutation

from backend.schema import Counter, Project, Task


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


@internal_mutation
async def bump_later(ctx: MutationCtx, key: str, by: int) -> None:
    """Add to a counter once the change has been made."""
    await bump(ctx, key, by)


async def recount(ctx: MutationCtx, before: Task | None, after: Task | None) -> None:
    """Move a task from the counter it was in to the one it is in now: call it after every change
    of a task, in the same mutation. None is a task that is not there yet, or no longer.
    """
    old, new = counted_in(before), counted_in(after)
    if old == new:
        return
    if old is not None:
        await ctx.scheduler.run_after(0, bump_later, key=old, by=-1)
    if new is not None:
        await ctx.scheduler.run_after(0, bump_later, key=new, by=1)


def counted_in(task: Task | None) -> str | None:
    """The counter a task is in: none for one that is not there, and for one outside of projects."""
    if task is None or task.project_id is None:
        return None
    return tasks_key(task.project_id, completed=task.completed)


def tasks_key(project_id: Id[Project], *, completed: bool) -> str:
    """The counter of a project's open tasks, or of its completed ones."""
    return f"project:{project_id}:{'completed' if completed else 'open'}_tasks"
