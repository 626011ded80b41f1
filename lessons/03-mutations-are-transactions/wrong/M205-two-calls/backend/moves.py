"""The two halves of a move."""

from headwater import UNSET, AppError, Id, MutationCtx, internal_mutation

from backend.counters import count_open
from backend.schema import Project, Task


async def own(ctx: MutationCtx, task_id: Id[Task]) -> Task:
    """The task, if it is the signed-in person's."""
    identity = await ctx.auth.require_identity()
    task = await ctx.db.get(task_id)
    if task is None or task.assignee != identity.subject:
        raise AppError({"code": "NOT_FOUND", "message": "There is no such task."})
    return task


@internal_mutation
async def take_out(ctx: MutationCtx, task_id: Id[Task]) -> None:
    """Take a task out of its project."""
    task = await own(ctx, task_id)
    await ctx.db.patch(task_id, project_id=UNSET)
    if not task.completed:
        await count_open(ctx, task.project_id, -1)


@internal_mutation
async def put_in(ctx: MutationCtx, task_id: Id[Task], project_id: Id[Project]) -> None:
    """Put a task into a project."""
    task = await own(ctx, task_id)
    if await ctx.db.get(project_id) is None:
        raise AppError({"code": "NOT_FOUND", "message": "This project no longer exists."})
    await ctx.db.patch(task_id, project_id=project_id, moved_at=ctx.now)
    if not task.completed:
        await count_open(ctx, project_id, 1)
