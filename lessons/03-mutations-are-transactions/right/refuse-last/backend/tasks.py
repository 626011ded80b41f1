"""Tasks. Everyone lists, completes and deletes their own."""

from typing import Annotated

from headwater import AppError, Id, MutationCtx, QueryCtx, mutation, query
from pydantic import Field

from backend.counters import count_open
from backend.schema import Priority, Project, Task


async def newest_tasks(ctx: QueryCtx, assignee: str) -> list[Task]:
    """A plain helper: two queries share the read without calling each other."""
    return (
        await ctx.db.query(Task)
        .with_index("by_assignee", assignee=assignee)
        .order("desc")
        .take(100)
    )


async def own_task(ctx: MutationCtx, task_id: Id[Task]) -> Task:
    """The task, if it is the signed-in person's; otherwise an error that clients can read."""
    identity = await ctx.auth.require_identity()
    task = await ctx.db.get(task_id)
    if task is None:
        raise AppError({"code": "NOT_FOUND", "message": "This task no longer exists."})
    if task.assignee != identity.subject:
        raise AppError({"code": "FORBIDDEN", "message": "This task is somebody else's."})
    return task


@query
async def get_tasks(ctx: QueryCtx) -> list[Task]:
    """The signed-in person's newest 100 tasks; none for a visitor who has not signed in."""
    identity = await ctx.auth.get_user_identity()
    if identity is None:
        return []
    return await newest_tasks(ctx, identity.subject)


@query
async def get_tasks_by_assignee(ctx: QueryCtx, assignee: str) -> list[Task]:
    """The newest 100 tasks of one person."""
    return await newest_tasks(ctx, assignee)


@query
async def list_open(ctx: QueryCtx, project_id: Id[Project]) -> list[Task]:
    """The open tasks of a project, newest first, at most 100."""
    return (
        await ctx.db.query(Task)
        .with_index("by_project_completed", project_id=project_id, completed=False)
        .order("desc")
        .take(100)
    )


@mutation
async def create_task(
    ctx: MutationCtx,
    title: Annotated[str, Field(max_length=200)],
    priority: Priority | None = None,
    project_id: Id[Project] | None = None,
) -> Id[Task]:
    """Add a task for the signed-in person, in a project if one is given."""
    identity = await ctx.auth.require_identity()
    task_id = await ctx.db.insert(
        Task(title=title, assignee=identity.subject, priority=priority, project_id=project_id)
    )
    await count_open(ctx, project_id, 1)
    return task_id


@mutation
async def toggle_task(ctx: MutationCtx, task_id: Id[Task]) -> None:
    """Complete an open task, or open a completed one."""
    task = await own_task(ctx, task_id)
    await ctx.db.patch(task_id, completed=not task.completed)
    await count_open(ctx, task.project_id, 1 if task.completed else -1)


@mutation
async def move_task(ctx: MutationCtx, task_id: Id[Task], project_id: Id[Project]) -> None:
    """Move a task into a project; the counters of both projects change with it."""
    task = await own_task(ctx, task_id)
    if not task.completed:
        await count_open(ctx, project_id, 1)
        await count_open(ctx, task.project_id, -1)
    changes = {"project_id": project_id, "moved_at": ctx.now, "moves": task.moves + 1}
    await ctx.db.replace(task_id, task.model_copy(update=changes))
    if project_id == task.project_id:
        raise AppError({"code": "INVALID", "message": "The task is in this project already."})
    if await ctx.db.get(project_id) is None:
        raise AppError({"code": "NOT_FOUND", "message": "This project no longer exists."})


@mutation
async def delete_task(ctx: MutationCtx, task_id: Id[Task]) -> None:
    """Delete a task for good."""
    task = await own_task(ctx, task_id)
    await ctx.db.delete(task_id)
    if not task.completed:
        await count_open(ctx, task.project_id, -1)
