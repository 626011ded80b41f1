"""Cleaning up: what nobody needs any more is taken away."""

from uuid import uuid4

from headwater import Id, MutationCtx, ScheduledFunction, internal_mutation

from backend.schema import Project, ProjectMember, RateLimit, Task

BATCH = 100
PROCESS = uuid4().hex
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


async def start_cleaning(ctx: MutationCtx) -> None:
    """Start the nightly clean-up, once for each process; from then on it goes on by itself."""
    jobs = ctx.db.system.query(ScheduledFunction)
    waiting = await jobs.with_index("by_state", **{"state.kind": "pending"}).take(1_000)
    if not any(job.args[0].get("process") == PROCESS for job in waiting):
        await ctx.scheduler.run_after(DAY_MS, nightly, process=PROCESS)


@internal_mutation
async def nightly(ctx: MutationCtx, process: str) -> None:
    """Clean up, and again in a day."""
    await ctx.scheduler.run_after(0, clean_up)
    await ctx.scheduler.run_after(DAY_MS, nightly, process=process)
