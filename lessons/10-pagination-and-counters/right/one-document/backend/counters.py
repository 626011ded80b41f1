"""Numbers that are kept, not counted: changed in the same transaction as what they count."""

from headwater import Document, Id, Index, MutationCtx, QueryCtx

from backend.schema import Counter, Project, Task


class ProjectTasks(Document, table="project_tasks"):
    """How many tasks a project has."""

    project_id: Id[Project]
    open: int = 0
    completed: int = 0
    by_project = Index("project_id")


async def tasks_of(ctx: QueryCtx, project_id: Id[Project]) -> ProjectTasks:
    """The numbers of a project; all are 0 before its first task."""
    found = ctx.db.query(ProjectTasks).with_index("by_project", project_id=project_id)
    return await found.unique() or ProjectTasks(project_id=project_id)


async def value_of(ctx: QueryCtx, key: str) -> int:
    """What a counter says; one that was never changed says 0."""
    counter = await ctx.db.query(Counter).with_index("by_key", key=key).unique()
    return 0 if counter is None else counter.value


async def bump(ctx: MutationCtx, key: str, by: int = 1) -> None:
    """Add to a counter, or take away."""
    counter = await ctx.db.query(Counter).with_index("by_key", key=key).unique()
    if counter is None:
        await ctx.db.insert(Counter(key=key, value=by))
    else:
        await ctx.db.patch(counter.id, value=counter.value + by)


async def recount(ctx: MutationCtx, before: Task | None, after: Task | None) -> None:
    """Say in a project's numbers that a task has changed: in the same mutation."""
    for task, by in ((before, -1), (after, 1)):
        if task is None or task.project_id is None:
            continue
        counts = await tasks_of(ctx, task.project_id)
        if task.completed:
            counts = counts.model_copy(update={"completed": counts.completed + by})
        else:
            counts = counts.model_copy(update={"open": counts.open + by})
        if counts.id:
            await ctx.db.replace(counts.id, counts)
        else:
            await ctx.db.insert(counts)


def tasks_key(project_id: Id[Project], *, completed: bool) -> str:
    """The counter of a project's open tasks, or of its completed ones."""
    return f"project:{project_id}:{'completed' if completed else 'open'}_tasks"
