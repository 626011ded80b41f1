"""Functions on tasks, the same as the hand-written server's."""

from backend.schema import Task

from headwater import Id, MutationCtx, QueryCtx, mutation, query


@query
async def newest(ctx: QueryCtx, board: str, count: int) -> list[Task]:
    """Return the newest tasks of a board, newest first."""
    return await ctx.db.query(Task).with_index("by_board", board=board).order("desc").take(count)


@mutation
async def create(ctx: MutationCtx, board: str, title: str) -> Id[Task]:
    """Add a task to a board."""
    return await ctx.db.insert(Task(board=board, title=title))


@mutation
async def toggle(ctx: MutationCtx, id: Id[Task]) -> None:
    """Mark a task as done, or as not done."""
    task = await ctx.db.get(id)
    assert task is not None
    await ctx.db.patch(id, completed=not task.completed)


@mutation
async def seed(ctx: MutationCtx, board: str, count: int) -> None:
    """Fill a board with tasks, in one transaction."""
    for number in range(count):
        await ctx.db.insert(Task(board=board, title=f"task {number}"))


@mutation
async def seed_boards(ctx: MutationCtx, prefix: str, first: int, end: int) -> None:
    """Put one task on each board of a range."""
    for number in range(first, end):
        await ctx.db.insert(Task(board=f"{prefix}{number}", title="task 0"))
