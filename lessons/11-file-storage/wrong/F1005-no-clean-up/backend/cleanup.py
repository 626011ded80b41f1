"""Cleaning up: what nobody needs any more is taken away."""

from headwater import Id, MutationCtx, PaginationOptions, StoredFile, internal_mutation

from backend.attachments import is_shown
from backend.schema import Project, ProjectMember, RateLimit, Task

BATCH = 100
DAY_MS = 24 * 3600 * 1000


@internal_mutation
async def clean_up(ctx: MutationCtx) -> None:
    """Start every job."""
    await ctx.scheduler.run_after(0, old_rate_limits)


@internal_mutation
async def old_rate_limits(ctx: MutationCtx) -> None:
    """Take away buckets that nobody has taken from for a day: they are full again by then."""
    limits = ctx.db.query(RateLimit)
    old = limits.with_index("by_refilled_at", refilled_at__lt=ctx.now - DAY_MS)
    found = await old.take(BATCH)
    for each in found:
        await ctx.db.delete(each.id)
    if len(found) == BATCH:
        await ctx.scheduler.run_after(0, old_rate_limits)


@internal_mutation
async def purge_project(ctx: MutationCtx, project_id: Id[Project]) -> None:
    """Take away a batch of what belongs to a project, then go on until nothing is left."""
    members = ctx.db.query(ProjectMember).with_index("by_project", project_id=project_id)
    tasks = ctx.db.query(Task).with_index("by_project_completed", project_id=project_id)
    found = [*await members.take(BATCH), *await tasks.take(BATCH)]
    for each in found:
        await ctx.db.delete(each.id)
    if found:
        await ctx.scheduler.run_after(0, purge_project, project_id=project_id)


@internal_mutation
async def abandoned_files(ctx: MutationCtx, cursor: str | None = None) -> None:
    """Files that nothing shows a day after their upload: somebody changed their mind."""
    files = ctx.db.system.query(StoredFile)
    old = files.with_index("by_creation_time", creation_time__lt=ctx.now - DAY_MS)
    found = await old.paginate(PaginationOptions(num_items=BATCH, cursor=cursor))
    for file in found.page:
        if not await is_shown(ctx, file):
            await ctx.storage.delete(file.id)
    if not found.is_done:
        await ctx.scheduler.run_after(0, abandoned_files, cursor=found.continue_cursor)
