"""Tasks: create, list, toggle, remove, pages."""

from backend.schema import Task

from headwater import (
    Id,
    MutationCtx,
    PaginationOptions,
    PaginationResult,
    QueryCtx,
    mutation,
    query,
)


@query(name="list")
async def list_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    """Every task of one person."""
    return await ctx.db.query(Task).with_index("by_assignee", assignee=assignee).collect()


@query
async def page(
    ctx: QueryCtx, assignee: str, pagination_opts: PaginationOptions
) -> PaginationResult[Task]:
    """One person's tasks, page by page."""
    tasks = ctx.db.query(Task).with_index("by_assignee", assignee=assignee)
    return await tasks.paginate(pagination_opts)


@mutation
async def create(ctx: MutationCtx, title: str, assignee: str) -> Id[Task]:
    """A new task."""
    return await ctx.db.insert(Task(title=title, assignee=assignee))


@mutation
async def toggle(ctx: MutationCtx, id: Id[Task]) -> bool:
    """Turn done into open and back; gives the new state."""
    task = await ctx.db.get(id)
    assert task is not None
    await ctx.db.patch(id, completed=not task.completed)
    return not task.completed


@mutation
async def remove(ctx: MutationCtx, id: Id[Task]) -> None:
    """Delete a task."""
    await ctx.db.delete(id)
