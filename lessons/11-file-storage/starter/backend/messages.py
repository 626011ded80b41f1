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

from backend.access import forbidden, not_found
from backend.rate_limits import take_token
from backend.rooms import enter
from backend.schema import Message

BURST = 5
REFILL_MS = 10_000


@query
async def list_messages(ctx: QueryCtx, room_id: str) -> list[Message]:
    """The last 50 messages of a room, oldest first."""
    await enter(ctx, room_id)
    newest = (
        await ctx.db.query(Message).with_index("by_room", room_id=room_id).order("desc").take(50)
    )
    return newest[::-1]


@query
async def page_messages(
    ctx: QueryCtx, room_id: str, pagination_opts: PaginationOptions
) -> PaginationResult[Message]:
    """All messages of a room page by page, newest first."""
    await enter(ctx, room_id)
    messages = ctx.db.query(Message).with_index("by_room", room_id=room_id).order("desc")
    return await messages.paginate(pagination_opts)


@query
async def recent_messages(ctx: QueryCtx, room_id: str, since: float) -> list[Message]:
    """The messages of a room since a time (ms since 1970), newest last; at most the last 100."""
    await enter(ctx, room_id)
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
    await enter(ctx, room_id)
    identity = await ctx.auth.require_identity()
    key = f"messages:send:{identity.token_identifier}"
    await take_token(ctx, key, burst=BURST, refill_ms=REFILL_MS)
    if not content.strip():
        raise AppError({"code": "INVALID", "message": "A message says something."})
    return await ctx.db.insert(
        Message(content=content, user_id=identity.subject, room_id=room_id, timestamp=ctx.now)
    )


@mutation
async def delete_message(ctx: MutationCtx, message_id: Id[Message]) -> None:
    """Take one's own message back."""
    identity = await ctx.auth.require_identity()
    message = await ctx.db.get(message_id)
    if message is None:
        raise not_found()
    await enter(ctx, message.room_id)
    if message.user_id != identity.subject:
        raise forbidden("This message is somebody else's.")
    await ctx.db.delete(message_id)
