"""Writes that somebody else has checked."""

from typing import Annotated

from headwater import Id, MutationCtx, internal_mutation
from pydantic import Field

from backend.schema import Priority, Task


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
