"""What programs with an API key may do; `routes.py` gives them these over HTTP.

One mutation for each request: the key is looked at and the work done in one transaction.
"""

from typing import Annotated

from headwater import Id, MutationCtx, internal_mutation
from pydantic import Field

from backend.api_keys import use_key
from backend.schema import Priority, Task
from backend.tasks import newest_tasks


@internal_mutation
async def tasks_of_key(ctx: MutationCtx, key_hash: str) -> list[Task]:
    """The newest 100 tasks of whose key it is."""
    return await newest_tasks(ctx, await use_key(ctx, key_hash))


@internal_mutation
async def add_task_of_key(
    ctx: MutationCtx,
    key_hash: str,
    title: Annotated[str, Field(max_length=200)],
    priority: Priority | None = None,
) -> Id[Task]:
    """A new task of whose key it is, in no project."""
    user = await use_key(ctx, key_hash)
    return await ctx.db.insert(
        Task(title=title, assignee=user.subject, assignee_id=user.id, priority=priority)
    )
