"""Functions of the usual kinds."""

from backend.schema import Person, Task

from headwater import (
    Id,
    MutationCtx,
    PaginationOptions,
    PaginationResult,
    QueryCtx,
    internal_mutation,
    mutation,
    query,
)


@query
async def get_tasks(ctx: QueryCtx, owner: Id[Person], only_open: bool = False) -> list[Task]:
    """A person's tasks.

    The newest come last.
    """
    tasks = ctx.db.query(Task).with_index("by_owner", owner=owner)
    return [task async for task in tasks if not (only_open and task.completed)]


@query(name="list")
async def page(
    ctx: QueryCtx, owner: Id[Person], pagination_opts: PaginationOptions
) -> PaginationResult[Task]:
    """A person's tasks, page by page."""
    tasks = ctx.db.query(Task).with_index("by_owner", owner=owner)
    return await tasks.paginate(pagination_opts)


@query
async def titles(ctx: QueryCtx, pagination_opts: PaginationOptions) -> PaginationResult[str]:
    """Pages of something else than documents."""
    found = await ctx.db.query(Task).paginate(pagination_opts)
    return found.with_page([task.title for task in found.page])


@query
async def first(ctx: QueryCtx) -> Task | None:
    """The oldest of all."""
    return await ctx.db.query(Task).first()


@mutation
async def create(ctx: MutationCtx, title: str, owner: Id[Person]) -> Id[Task]:
    """A new task; a comment's end */ in here ends nothing."""
    return await ctx.db.insert(Task(title=title, owner=owner, due=None))


@internal_mutation
async def clear(ctx: MutationCtx) -> None:
    """For the backend alone."""
