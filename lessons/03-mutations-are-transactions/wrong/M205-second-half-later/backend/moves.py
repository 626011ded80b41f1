"""The second half of a move."""

from headwater import Id, MutationCtx, internal_mutation

from backend.counters import count_open
from backend.schema import Project, Task


@internal_mutation
async def put_in(ctx: MutationCtx, task_id: Id[Task], project_id: Id[Project]) -> None:
    """Put a task into a project."""
    task = await ctx.db.get(task_id)
    if task is None:
        return
    await ctx.db.patch(task_id, project_id=project_id)
    if not task.completed:
        await count_open(ctx, project_id, 1)
