"""What programs with an API key may do; `routes.py` gives them these over HTTP.

One mutation for each request: the key is looked at, the use counted, the limit kept and the work
done in one transaction.
"""

from headwater import Id, MutationCtx, internal_mutation

from backend.access import not_found
from backend.api_keys import use_key
from backend.schema import Priority, Project, Task, Title
from backend.task_changes import add_task
from backend.tasks import newest_tasks


@internal_mutation
async def tasks_of_key(ctx: MutationCtx, key_hash: str) -> list[Task]:
    """The newest 100 tasks of whose key it is."""
    return await newest_tasks(ctx, await use_key(ctx, key_hash))


@internal_mutation
async def add_task_of_key(
    ctx: MutationCtx,
    key_hash: str,
    title: Title,
    priority: Priority | None = None,
    project_id: str | None = None,
    due_at: float | None = None,
) -> Id[Task]:
    """A new task of whose key it is, in a project only if they are a member."""
    user = await use_key(ctx, key_hash)
    project = ctx.db.normalize_id(Project, project_id) if project_id is not None else None
    if project_id is not None and project is None:
        raise not_found()
    return await add_task(ctx, user.id, title, priority=priority, project_id=project, due_at=due_at)
