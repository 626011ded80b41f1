"""Chat messages, one list per room."""

from typing import Annotated

from headwater import (
    AppError,
    Id,
    MutationCtx,
    PaginationOptions,
    PaginationResult,
    QueryCtx,
    mutation,
    query,
)
from pydantic import Field

from backend.rate_limits import take_token
from backend.schema import Message

BURST = 5
REFILL_MS = 10_000


@query
async def list_messages(ctx: QueryCtx, room_id: str) -> list[Message]:
    """The last 50 messages of a room, oldest first."""
    newest = (
        await ctx.db.query(Message).with_index("by_room", room_id=room_id).order("desc").take(50)
    )
    return newest[::-1]


@query
async def page_messages(
    ctx: QueryCtx, room_id: str, pagination_opts: PaginationOptions
) -> PaginationResult[Message]:
    """All messages of a room page by page, newest first."""
    messages, size = ctx.db.query(Message), pagination_opts.num_items
    if pagination_opts.cursor is None:
        rest = messages.with_index("by_room", room_id=room_id)
    else:
        before = float(pagination_opts.cursor)
        rest = messages.with_index("by_room", room_id=room_id, timestamp__lt=before)
    page = await rest.order("desc").take(size)
    return PaginationResult[Message](
        page=page,
        is_done=len(page) < size,
        continue_cursor=str(page[-1].timestamp) if page else "0",
        split_cursor=None,
        page_status=None,
    )


@query
async def recent_messages(ctx: QueryCtx, room_id: str, since: float) -> list[Message]:
    """The messages of a room since a time (ms since 1970), newest last; at most the last 100."""
    newest = (
        await ctx.db.query(Message)
        .with_index("by_room", room_id=room_id, timestamp__gte=since)
        .order("desc")
        .take(100)
    )
    return newest[::-1]


@mutation
async def send_message(
    ctx: MutationCtx, room_id: str, content: Annotated[str, Field(max_length=2000)]
) -> Id[Message]:
    """Say something in a room, as the signed-in person: 5 at once, then one every 10 seconds."""
    identity = await ctx.auth.require_identity()
    key = f"messages:send:{identity.token_identifier}"
    await take_token(ctx, key, burst=BURST, refill_ms=REFILL_MS)
    if not content.strip():
        raise AppError({"code": "INVALID", "message": "A message says something."})
    return await ctx.db.insert(
        Message(content=content, user_id=identity.subject, room_id=room_id, timestamp=ctx.now)
    )
