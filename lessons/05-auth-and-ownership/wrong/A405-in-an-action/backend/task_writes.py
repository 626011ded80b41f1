"""Writes that somebody else has checked."""

from typing import Annotated

from headwater import Id, MutationCtx, QueryCtx, internal_mutation, internal_query
from pydantic import Field

from backend.access import forbidden, member, not_found, viewer
from backend.schema import Priority, Task


@internal_query
async def check_task(ctx: QueryCtx, task_id: Id[Task]) -> None:
    """Refuse who may not change a task."""
    user, task = await viewer(ctx), await ctx.db.get(task_id)
    if user is None or task is None:
        raise not_found()
    if task.project_id is not None:
        await member(ctx, task.project_id)
    elif task.assignee_id != user.id:
        raise forbidden("This task is somebody else's.")


@internal_mutation
async def write_task(
    ctx: MutationCtx,
    task_id: Id[Task],
    title: Annotated[str, Field(max_length=200)] | None = None,
    priority: Priority | None = None,
) -> None:
    """Write what `update_task` has checked."""
    given = {"title": title, "priority": priority}
    await ctx.db.patch(task_id, **{k: value for k, value in given.items() if value is not None})
