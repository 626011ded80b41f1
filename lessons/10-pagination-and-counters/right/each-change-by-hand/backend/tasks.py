"""Tasks. Everyone has their own; those of a project belong to all its members."""

from typing import Annotated

from headwater import AppError, Id, Model, MutationCtx, QueryCtx, mutation, query
from pydantic import Field

from backend.access import forbidden, member, membership, not_found, signed_in, viewer
from backend.counters import bump, tasks_key, value_of
from backend.notifications import remind
from backend.schema import Priority, Project, Task, User

YEAR_MS = 366 * 24 * 3600 * 1000


class TaskCounts(Model):
    """How many tasks a project has."""

    open: int
    completed: int


async def newest_tasks(ctx: QueryCtx, user: User | None) -> list[Task]:
    """A plain helper: two queries share the read without calling each other."""
    if user is None:
        return []
    return (
        await ctx.db.query(Task)
        .with_index("by_assignee_id", assignee_id=user.id)
        .order("desc")
        .take(100)
    )


async def may_see(ctx: QueryCtx, task: Task, user: User) -> bool:
    """Whether somebody may see a task: in a project its members, otherwise whose it is."""
    if task.project_id is None:
        return task.assignee_id == user.id
    return await membership(ctx, task.project_id, user.id) is not None


async def changeable(ctx: MutationCtx, task_id: Id[Task]) -> Task:
    """The task, if the caller may change it; otherwise an error that clients can read."""
    user = await signed_in(ctx)
    task = await ctx.db.get(task_id)
    if task is None:
        raise not_found()
    if task.project_id is not None:
        await member(ctx, task.project_id)
    elif task.assignee_id != user.id:
        raise forbidden("This task is somebody else's.")
    return task


@query
async def get_tasks(ctx: QueryCtx) -> list[Task]:
    """The signed-in person's newest 100 tasks; none for a visitor who has not signed in."""
    return await newest_tasks(ctx, await viewer(ctx))


@query
async def get_tasks_by_assignee(ctx: QueryCtx, assignee: str) -> list[Task]:
    """Of one person's newest 100 tasks those that the caller may see."""
    user = await viewer(ctx)
    if user is None:
        return []
    tasks = ctx.db.query(Task).with_index("by_assignee", assignee=assignee).order("desc")
    return [task for task in await tasks.take(100) if await may_see(ctx, task, user)]


@query
async def list_open(ctx: QueryCtx, project_id: Id[Project]) -> list[Task]:
    """The open tasks of a project, newest first, at most 100. For members."""
    await member(ctx, project_id)
    return (
        await ctx.db.query(Task)
        .with_index("by_project_completed", project_id=project_id, completed=False)
        .order("desc")
        .take(100)
    )


@query
async def count_tasks(ctx: QueryCtx, project_id: Id[Project]) -> TaskCounts:
    """How many tasks a project has, for its members: the same is read, however many they are."""
    await member(ctx, project_id)
    return TaskCounts(
        open=await value_of(ctx, tasks_key(project_id, completed=False)),
        completed=await value_of(ctx, tasks_key(project_id, completed=True)),
    )


@mutation
async def create_task(
    ctx: MutationCtx,
    title: Annotated[str, Field(max_length=200)],
    priority: Priority | None = None,
    project_id: Id[Project] | None = None,
) -> Id[Task]:
    """Add a task for the signed-in person, in a project if one is given."""
    user = await signed_in(ctx)
    if project_id is not None:
        await member(ctx, project_id)
    task = Task(
        title=title,
        assignee=user.subject,
        assignee_id=user.id,
        priority=priority,
        project_id=project_id,
    )
    task_id = await ctx.db.insert(task)
    if project_id is not None:
        await bump(ctx, tasks_key(project_id, completed=False))
    return task_id


@mutation
async def update_task(
    ctx: MutationCtx,
    task_id: Id[Task],
    title: Annotated[str, Field(max_length=200)] | None = None,
    priority: Priority | None = None,
) -> None:
    """Change what is given and leave the rest."""
    await changeable(ctx, task_id)
    given = {"title": title, "priority": priority}
    await ctx.db.patch(task_id, **{k: value for k, value in given.items() if value is not None})


@mutation
async def toggle_task(ctx: MutationCtx, task_id: Id[Task]) -> None:
    """Complete an open task, or open a completed one."""
    task = await changeable(ctx, task_id)
    await ctx.db.patch(task_id, completed=not task.completed)
    if task.project_id is not None:
        await bump(ctx, tasks_key(task.project_id, completed=task.completed), -1)
        await bump(ctx, tasks_key(task.project_id, completed=not task.completed))


@mutation
async def move_task(ctx: MutationCtx, task_id: Id[Task], project_id: Id[Project]) -> None:
    """Move a task into a project; the counters of both projects change with it."""
    task = await changeable(ctx, task_id)
    await member(ctx, project_id)
    await ctx.db.patch(task_id, project_id=project_id, moved_at=ctx.now)
    if task.project_id is not None:
        await bump(ctx, tasks_key(task.project_id, completed=task.completed), -1)
    await bump(ctx, tasks_key(project_id, completed=task.completed))


@mutation
async def delete_task(ctx: MutationCtx, task_id: Id[Task]) -> None:
    """Delete a task for good."""
    task = await changeable(ctx, task_id)
    await ctx.db.delete(task_id)
    if task.project_id is not None:
        await bump(ctx, tasks_key(task.project_id, completed=task.completed), -1)


@mutation
async def remind_me(ctx: MutationCtx, task_id: Id[Task], at: float) -> None:
    """Notify the caller at a time (ms since 1970), if the task is still to be done then."""
    await changeable(ctx, task_id)
    if not ctx.now < at < ctx.now + YEAR_MS:
        message = "A reminder is for a time to come, within a year."
        raise AppError({"code": "INVALID", "message": message})
    user = await signed_in(ctx)
    await ctx.scheduler.run_at(at, remind, task_id=task_id, user_id=user.id)
