"""What a person is told: that something is due, was given to them, or happened that day."""

from typing import Literal

from headwater import Id, MutationCtx, QueryCtx, mutation, query

from backend.access import not_found, signed_in, viewer
from backend.schema import Notification, Task, User

SHOWN = 50


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
