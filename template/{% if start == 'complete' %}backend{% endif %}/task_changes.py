"""Who may see and change a task - its assignee, or in a project every member - and how it is
written: every change of a task goes through here, so that the counters change with it.
"""

from typing import Any

from headwater import Id, MutationCtx, QueryCtx

from backend.access import forbidden, invalid, is_open_to, member, not_found, signed_in
from backend.counters import bump_today, recount
from backend.schema import Priority, Project, Task, Title, User


async def changeable(ctx: MutationCtx, task_id: Id[Task], *, deleted: bool = False) -> Task:
    """The task, if the caller may change it; otherwise an error that clients can read.

    A deleted task is found only if `deleted` is asked for.
    """
    user = await signed_in(ctx)
    task = await ctx.db.get(task_id)
    if task is None or (task.deleted_at is not None) != deleted:
        raise not_found()
    if task.project_id is not None:
        await member(ctx, task.project_id)
    elif task.assignee_id != user.id:
        raise forbidden("This task is somebody else's.")
    return task


async def may_see(ctx: QueryCtx, task: Task, user_id: Id[User]) -> bool:
    """Whether somebody may see a task."""
    if task.project_id is None:
        return task.assignee_id == user_id
    return await is_open_to(ctx, task.project_id, user_id)


async def visible(ctx: QueryCtx, tasks: list[Task], user_id: Id[User]) -> list[Task]:
    """Those of the tasks that somebody may see; each project is asked once."""
    seen: dict[Id[Project] | None, bool] = {}
    for task in tasks:
        if task.project_id is not None and task.project_id not in seen:
            seen[task.project_id] = await is_open_to(ctx, task.project_id, user_id)
    return [task for task in tasks if seen.get(task.project_id, task.assignee_id == user_id)]


async def assignable(
    ctx: QueryCtx, project_id: Id[Project] | None, user_id: Id[User] | None
) -> None:
    """Refuse to give a task to somebody who could not see it."""
    if project_id is None:
        raise invalid("A task outside of projects stays with whose it is.")
    if user_id is None or not await is_open_to(ctx, project_id, user_id):
        raise invalid("Whoever does the task must be a member of its project.")


async def moved(ctx: MutationCtx, task: Task, project_id: Id[Project]) -> dict[str, Any]:
    """What changes of a task that goes into a project: its caller and assignee must see both."""
    await member(ctx, project_id)
    await assignable(ctx, project_id, task.assignee_id)
    return {"project_id": project_id, "moved_at": ctx.now}


async def add_task(
    ctx: MutationCtx,
    user_id: Id[User],
    title: Title,
    *,
    priority: Priority | None = None,
    project_id: Id[Project] | None = None,
    due_at: float | None = None,
    completed: bool = False,
) -> Id[Task]:
    """Store a new task of somebody, in a project only if they may see it."""
    user = await ctx.db.get(user_id)
    if user is None:
        raise not_found()
    task = Task(
        title=title,
        completed=completed,
        assignee=user.subject,
        assignee_id=user_id,
        priority=priority,
        project_id=project_id,
        due_at=due_at,
    )
    if not await may_see(ctx, task, user_id):
        raise not_found()
    task_id = await ctx.db.insert(task)
    await recount(ctx, before=None, after=task)
    await bump_today(ctx, "tasks_created")
    return task_id


async def change(ctx: MutationCtx, task: Task, **fields: Any) -> None:
    """Write some fields of a task."""
    await ctx.db.patch(task.id, **fields)
    await recount(ctx, before=task, after=await ctx.db.get(task.id))
