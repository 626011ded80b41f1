"""Cleaning up: what nobody needs any more is taken away."""

from datetime import timedelta

from headwater import Id, MutationCtx, internal_mutation

from backend.schema import Project, ProjectMember, RateLimit, Task

BATCH = 50
DAY_MS = timedelta(days=1) / timedelta(milliseconds=1)


@internal_mutation
async def clean_up(ctx: MutationCtx) -> None:
    """Do what there is to do, now."""
    await drop_old_limits(ctx)


@internal_mutation
async def old_rate_limits(ctx: MutationCtx) -> None:
    """Take away a batch of buckets that nobody has taken from for a day."""
    await drop_old_limits(ctx)


@internal_mutation
async def purge_project(ctx: MutationCtx, project_id: Id[Project]) -> None:
    """Take away what belongs to a project: its tasks first, then its members."""
    tasks = ctx.db.query(Task).with_index("by_project_completed", project_id=project_id)
    members = ctx.db.query(ProjectMember).with_index("by_project", project_id=project_id)
    some = await tasks.take(BATCH) or await members.take(BATCH)
    await drop(ctx, some)
    if len(some) > 0:
        await ctx.scheduler.run_at(ctx.now, purge_project, project_id=project_id)


async def drop_old_limits(ctx: MutationCtx) -> None:
    """A plain helper: two functions share it."""
    limits = ctx.db.query(RateLimit)
    old = limits.with_index("by_refilled_at", refilled_at__lt=ctx.now - DAY_MS)
    await drop(ctx, await old.take(BATCH))


async def drop(
    ctx: MutationCtx, documents: list[RateLimit] | list[Task] | list[ProjectMember]
) -> None:
    """Delete some documents."""
    for each in documents:
        await ctx.db.delete(each.id)
