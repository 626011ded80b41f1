"""Chat messages, one list per room; `rooms.py` says who may be in a room."""

from typing import Annotated

from headwater import (
    Id,
    MutationCtx,
    PaginationOptions,
    PaginationResult,
    QueryCtx,
    mutation,
    query,
)
from pydantic import Field

from backend.access import forbidden, invalid, not_found, signed_in
from backend.attachments import remove_image
from backend.counters import bump_today
from backend.rate_limits import take_token
from backend.rooms import enter, is_admin
from backend.schema import Message

BURST = 5
REFILL_MS = 10_000


@query
async def list_messages(ctx: QueryCtx, room_id: str) -> list[Message]:
    """The last 50 messages of a room, oldest first; none for a visitor who has not signed in."""
    if await ctx.auth.get_user_identity() is None:
        return []
    await enter(ctx, room_id)
    newest = (
        await ctx.db.query(Message).with_index("by_room", room_id=room_id).order("desc").take(50)
    )
    return newest[::-1]


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


@query
async def page_messages(
    ctx: QueryCtx, room_id: str, pagination_opts: PaginationOptions
) -> PaginationResult[Message]:
    """All messages of a room page by page, newest first: for `usePaginatedQuery`."""
    await enter(ctx, room_id)
    messages = ctx.db.query(Message).with_index("by_room", room_id=room_id).order("desc")
    return await messages.paginate(pagination_opts)


@query
async def search_messages(
    ctx: QueryCtx, room_id: str, words: Annotated[str, Field(max_length=200)]
) -> list[Message]:
    """The 20 messages of a room that have most of some words; the last word may be begun."""
    await enter(ctx, room_id)
    messages = ctx.db.query(Message)
    return await messages.with_search_index("search_content", words, room_id=room_id).take(20)


@mutation
async def send_message(
    ctx: MutationCtx, room_id: str, content: Annotated[str, Field(max_length=2000)]
) -> Id[Message]:
    """Say something in a room, as the signed-in person: 5 at once, then one every 10 seconds."""
    await enter(ctx, room_id)
    user = await signed_in(ctx)
    key = f"messages:send:{user.token_identifier}"
    await take_token(ctx, key, burst=BURST, refill_ms=REFILL_MS)
    if not content.strip():
        raise invalid("A message says something.")
    await bump_today(ctx, "messages")
    return await ctx.db.insert(
        Message(
            content=content,
            user_id=user.subject,
            author_id=user.id,
            room_id=room_id,
            timestamp=ctx.now,
        )
    )


@mutation
async def delete_message(ctx: MutationCtx, message_id: Id[Message]) -> None:
    """Take a message back, with its image: one's own, or as an admin of the project anybody's."""
    user = await signed_in(ctx)
    message = await ctx.db.get(message_id)
    if message is None:
        raise not_found()
    role = await enter(ctx, message.room_id)
    if message.author_id != user.id and not is_admin(role):
        raise forbidden("This message is somebody else's.")
    await remove_image(ctx, message)
    await ctx.db.delete(message_id)
