"""What a person is told: that something is due, was given to them, or happened that day."""

from typing import Literal

from headwater import Id, MutationCtx, QueryCtx, internal_mutation, mutation, query

from backend.access import not_found, signed_in, viewer
from backend.schema import Notification, Task, User
from backend.task_changes import may_see

SHOWN = 50
BATCH = 100


@query
async def get_notifications(ctx: QueryCtx) -> list[Notification]:
    """The caller's newest 50, unread before read; none for a visitor who has not signed in."""
    user = await viewer(ctx)
    if user is None:
        return []
    unread = ctx.db.query(Notification).with_index("by_user", user_id=user.id, read_at=None)
    found = await unread.order("desc").take(SHOWN)
    read = ctx.db.query(Notification).with_index("by_user", user_id=user.id, read_at__gt=0)
    return found + await read.order("desc").take(SHOWN - len(found))


@mutation
async def mark_read(ctx: MutationCtx, notification_id: Id[Notification]) -> None:
    """Note that the caller has seen one of their notifications."""
    user = await signed_in(ctx)
    notification = await ctx.db.get(notification_id)
    if notification is None or notification.user_id != user.id:
        raise not_found()
    await ctx.db.patch(notification_id, read_at=ctx.now)


@mutation
async def mark_all_read(ctx: MutationCtx) -> None:
    """Note that the caller has seen all their notifications."""
    user = await signed_in(ctx)
    await ctx.scheduler.run_after(0, mark_batch_read, user_id=user.id)


@internal_mutation
async def mark_batch_read(ctx: MutationCtx, user_id: Id[User]) -> None:
    """Mark some as read and go on with the rest: one transaction never has to hold them all."""
    notifications = ctx.db.query(Notification)
    unread = notifications.with_index("by_user", user_id=user_id, read_at=None)
    found = await unread.take(BATCH)
    for each in found:
        await ctx.db.patch(each.id, read_at=ctx.now)
    if len(found) == BATCH:
        await ctx.scheduler.run_after(0, mark_batch_read, user_id=user_id)


@internal_mutation
async def remind(ctx: MutationCtx, task_id: Id[Task], user_id: Id[User]) -> None:
    """Remind somebody of a task, unless it is done or gone by now, or no longer theirs to see, or
    they have not read the last reminder of it: so running this twice is running it once.
    """
    task = await ctx.db.get(task_id)
    if task is None or task.completed or task.deleted_at is not None:
        return
    told = ctx.db.query(Notification).with_index(
        "by_task", task_id=task_id, user_id=user_id, kind="reminder", read_at=None
    )
    if await may_see(ctx, task, user_id) and await told.first() is None:
        await notify(ctx, user_id, "reminder", f"To do: {task.title}", task_id=task_id)


async def notify(
    ctx: MutationCtx,
    user_id: Id[User],
    kind: Literal["reminder", "assigned", "summary"],
    text: str,
    *,
    task_id: Id[Task] | None = None,
) -> None:
    """A plain helper: tell somebody something, in the transaction of what it is about."""
    await ctx.db.insert(Notification(user_id=user_id, kind=kind, text=text, task_id=task_id))
