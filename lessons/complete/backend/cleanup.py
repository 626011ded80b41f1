"""What is no longer needed, taken away every day.

Each job deletes one batch in a transaction of its own and schedules itself for the rest: one that
deleted all at once would hold up everybody, and one day fail for having grown too large.
"""

from collections.abc import Sequence

from headwater import (
    Document,
    Id,
    MutationCtx,
    PaginationOptions,
    StoredFile,
    internal_mutation,
)

from backend.attachments import is_shown, remove_image
from backend.counters import tasks_key
from backend.schema import (
    Counter,
    Invitation,
    Message,
    Presence,
    Project,
    ProjectMember,
    RateLimit,
    Room,
    Task,
    WebhookEvent,
)

BATCH = 100
DAY_MS = 24 * 3600 * 1000
DELETED_MS = 30 * DAY_MS
EVENTS_MS = 7 * DAY_MS


@internal_mutation
async def clean_up(ctx: MutationCtx) -> None:
    """Start every job; each goes on by itself, and if one fails the others do not."""
    for job in (
        old_rate_limits,
        deleted_tasks,
        deleted_projects,
        expired_invitations,
        old_presence,
        old_webhook_events,
        abandoned_files,
    ):
        await ctx.scheduler.run_after(0, job)


@internal_mutation
async def old_rate_limits(ctx: MutationCtx) -> None:
    """Buckets that nobody has taken from for a day: every one of ours is full again by then."""
    limits = ctx.db.query(RateLimit)
    old = limits.with_index("by_refilled_at", refilled_at__lt=ctx.now - DAY_MS)
    if await delete_batch(ctx, await old.take(BATCH)):
        await ctx.scheduler.run_after(0, old_rate_limits)


@internal_mutation
async def deleted_tasks(ctx: MutationCtx) -> None:
    """Tasks that were deleted 30 days ago. They are in no counter any more."""
    tasks = ctx.db.query(Task)
    old = tasks.with_index("by_deleted", deleted_at__gt=0, deleted_at__lt=ctx.now - DELETED_MS)
    if await delete_batch(ctx, await old.take(BATCH)):
        await ctx.scheduler.run_after(0, deleted_tasks)


@internal_mutation
async def expired_invitations(ctx: MutationCtx) -> None:
    """Invitations whose time is over, accepted or not."""
    invitations = ctx.db.query(Invitation)
    old = invitations.with_index("by_expires_at", expires_at__lt=ctx.now)
    if await delete_batch(ctx, await old.take(BATCH)):
        await ctx.scheduler.run_after(0, expired_invitations)


@internal_mutation
async def old_presence(ctx: MutationCtx) -> None:
    """Who was seen somewhere more than a day ago, and could not be taken out then."""
    old = ctx.db.query(Presence).with_index("by_seen_at", seen_at__lt=ctx.now - DAY_MS)
    if await delete_batch(ctx, await old.take(BATCH)):
        await ctx.scheduler.run_after(0, old_presence)


@internal_mutation
async def old_webhook_events(ctx: MutationCtx) -> None:
    """Events so old that nobody sends them again."""
    events = ctx.db.query(WebhookEvent)
    old = events.with_index("by_received_at", received_at__lt=ctx.now - EVENTS_MS)
    if await delete_batch(ctx, await old.take(BATCH)):
        await ctx.scheduler.run_after(0, old_webhook_events)


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


@internal_mutation
async def deleted_projects(ctx: MutationCtx) -> None:
    """Projects that were deleted 30 days ago, one job for each."""
    projects = ctx.db.query(Project)
    old = projects.with_index("by_deleted", deleted_at__gt=0, deleted_at__lt=ctx.now - DELETED_MS)
    for project in await old.take(BATCH):
        await ctx.scheduler.run_after(0, purge_project, project_id=project.id)


@internal_mutation
async def purge_project(ctx: MutationCtx, project_id: Id[Project]) -> None:
    """Take away a batch of what belongs to a project; when nothing is left, the project."""
    project = await ctx.db.get(project_id)
    if project is None or project.deleted_at is None:
        return
    if await delete_batch(ctx, await belongings(ctx, project_id), full=1):
        await ctx.scheduler.run_after(0, purge_project, project_id=project_id)
        return
    if project.logo_id is not None:
        await ctx.storage.delete(project.logo_id)
    for completed in (False, True):
        key = tasks_key(project_id, completed=completed)
        counter = await ctx.db.query(Counter).with_index("by_key", key=key).unique()
        await delete_batch(ctx, [] if counter is None else [counter])
    await ctx.db.delete(project_id)


async def belongings(ctx: MutationCtx, project_id: Id[Project]) -> Sequence[Document]:
    """Some documents of a project: the members first, so that nobody restores the half of it."""
    members = ctx.db.query(ProjectMember).with_index("by_project", project_id=project_id)
    tasks = ctx.db.query(Task).with_index("by_project_completed", project_id=project_id)
    invitations = ctx.db.query(Invitation).with_index("by_project", project_id=project_id)
    for each in (members, tasks, invitations):
        found = await each.take(BATCH)
        if found:
            return found
    room = await ctx.db.query(Room).with_index("by_project", project_id=project_id).first()
    if room is None:
        return []
    messages = ctx.db.query(Message).with_index("by_room", room_id=room.id)
    return await messages.take(BATCH) or [room]


async def delete_batch(ctx: MutationCtx, found: Sequence[Document], *, full: int = BATCH) -> bool:
    """Delete documents; whether there may be more of them, because the batch was full."""
    for each in found:
        if isinstance(each, Message):
            await remove_image(ctx, each)
        await ctx.db.delete(each.id)
    return len(found) >= full
