"""Tasks. Everyone has their own; those of a project belong to all its members."""

from typing import Any

from headwater import (
    UNSET,
    Id,
    Model,
    MutationCtx,
    PaginationOptions,
    PaginationResult,
    QueryCtx,
    mutation,
    query,
)

from backend.access import invalid, member, not_found, signed_in, viewer
from backend.counters import bump_today, tasks_key, value_of
from backend.notifications import notify, remind
from backend.rate_limits import take_token
from backend.schema import Priority, Project, Task, Title, User
from backend.task_changes import add_task, assignable, change, changeable, moved, visible
from backend.webhooks import announce_completed

YEAR_MS = 366 * 24 * 3600 * 1000


class TaskCounts(Model):
    """How many tasks a project has."""

    open: int
    completed: int


async def newest_tasks(ctx: QueryCtx, user: User | None) -> list[Task]:
    """A plain helper: queries share the read without calling each other. A visitor has no tasks."""
    if user is None:
        return []
    found = (
        await ctx.db.query(Task)
        .with_index("by_assignee_id", assignee_id=user.id, deleted_at=None)
        .order("desc")
        .take(100)
    )
    return await visible(ctx, found, user.id)


@query
async def get_tasks(ctx: QueryCtx) -> list[Task]:
    """The signed-in person's newest 100 tasks; none for a visitor who has not signed in."""
    return await newest_tasks(ctx, await viewer(ctx))


@query
async def get_tasks_by_assignee(ctx: QueryCtx, assignee: str) -> list[Task]:
    """Of one person's newest 100 tasks those that the caller may see: all of their own, and of
    others' what is in a project they share.
    """
    user = await viewer(ctx)
    if user is None or assignee == user.subject:
        return await newest_tasks(ctx, user)
    tasks = ctx.db.query(Task).with_index("by_assignee", assignee=assignee).order("desc")
    return await visible(ctx, await tasks.filter(lambda t: t.deleted_at is None).take(100), user.id)


@query
async def list_open(ctx: QueryCtx, project_id: Id[Project]) -> list[Task]:
    """The open tasks of a project, newest first, at most 100. For members."""
    await member(ctx, project_id)
    return (
        await ctx.db.query(Task)
        .with_index("by_project_open", project_id=project_id, deleted_at=None, completed=False)
        .order("desc")
        .take(100)
    )


@query
async def list_tasks(
    ctx: QueryCtx, project_id: Id[Project], pagination_opts: PaginationOptions
) -> PaginationResult[Task]:
    """The tasks of a project page by page, the open ones first. For members."""
    await member(ctx, project_id)
    tasks = ctx.db.query(Task)
    in_project = tasks.with_index("by_project_open", project_id=project_id, deleted_at=None)
    return await in_project.paginate(pagination_opts)


@query
async def count_tasks(ctx: QueryCtx, project_id: Id[Project]) -> TaskCounts:
    """How many tasks a project has: two documents are read, however many they are. For members."""
    await member(ctx, project_id)
    return TaskCounts(
        open=await value_of(ctx, tasks_key(project_id, completed=False)),
        completed=await value_of(ctx, tasks_key(project_id, completed=True)),
    )


@mutation
async def create_task(
    ctx: MutationCtx,
    title: Title,
    priority: Priority | None = None,
    project_id: Id[Project] | None = None,
    due_at: float | None = None,
) -> Id[Task]:
    """Add a task for the signed-in person, in a project if one is given."""
    user = await signed_in(ctx)
    return await add_task(
        ctx, user.id, title, priority=priority, project_id=project_id, due_at=due_at
    )


@mutation
async def toggle_task(ctx: MutationCtx, task_id: Id[Task]) -> None:
    """Complete an open task, or open a completed one."""
    task = await changeable(ctx, task_id)
    await change(ctx, task, completed=not task.completed)
    if not task.completed:
        await bump_today(ctx, "tasks_completed")
        await announce_completed(ctx, task_id)


@mutation
async def update_task(
    ctx: MutationCtx,
    task_id: Id[Task],
    title: Title | None = None,
    priority: Priority | None = None,
    due_at: float | None = None,
    project_id: Id[Project] | None = None,
) -> None:
    """Change what is given and leave the rest; `project_id` moves the task into that project."""
    task = await changeable(ctx, task_id)
    given = {"title": title, "priority": priority, "due_at": due_at}
    fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if project_id is not None:
        fields |= await moved(ctx, task, project_id)
    await change(ctx, task, **fields)


@mutation
async def move_task(ctx: MutationCtx, task_id: Id[Task], project_id: Id[Project]) -> None:
    """Move a task into a project; the counters of both projects change with it. For members."""
    task = await changeable(ctx, task_id)
    await change(ctx, task, **await moved(ctx, task, project_id))


@mutation
async def assign_task(ctx: MutationCtx, task_id: Id[Task], user_id: Id[User]) -> None:
    """Give a project's task to one of its members, who is told of it."""
    task = await changeable(ctx, task_id)
    await assignable(ctx, task.project_id, user_id)
    person, caller = await ctx.db.get(user_id), await signed_in(ctx)
    if person is None:
        raise not_found()
    await change(ctx, task, assignee=person.subject, assignee_id=person.id)
    if person.id != caller.id:
        text = f"{caller.name} gave you: {task.title}"
        await notify(ctx, person.id, "assigned", text, task_id=task_id)


@mutation
async def delete_task(ctx: MutationCtx, task_id: Id[Task]) -> None:
    """Delete a task; for 30 days it can be restored."""
    await change(ctx, await changeable(ctx, task_id), deleted_at=ctx.now)


@mutation
async def restore_task(ctx: MutationCtx, task_id: Id[Task]) -> None:
    """Bring a deleted task back, as it was."""
    await change(ctx, await changeable(ctx, task_id, deleted=True), deleted_at=UNSET)


@mutation
async def remind_me(ctx: MutationCtx, task_id: Id[Task], at: float) -> None:
    """Notify the caller at a time (ms since 1970), if the task is still to be done then."""
    await changeable(ctx, task_id)
    if not ctx.now < at < ctx.now + YEAR_MS:
        raise invalid("A reminder is for a time to come, within a year.")
    user = await signed_in(ctx)
    await take_token(ctx, f"remind:{user.id}", burst=20, refill_ms=60_000)
    await ctx.scheduler.run_at(at, remind, task_id=task_id, user_id=user.id)
