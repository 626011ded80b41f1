"""Chat messages, one list per room."""

from typing import Annotated

from headwater import Id, MutationCtx, QueryCtx, mutation, query
from pydantic import Field

from backend.access import signed_in
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
    ctx: MutationCtx, room_id: str, content: Annotated[str, Field(max_length=2000, pattern=r"\S")]
) -> Id[Message]:
    """Say something in a room, as the signed-in person: 5 at once, then one every 10 seconds."""
    user = await signed_in(ctx)
    await take_token(ctx, f"messages:send:{user.id}", burst=BURST, refill_ms=REFILL_MS)
    return await ctx.db.insert(
        Message(content=content, user_id=user.subject, room_id=room_id, timestamp=ctx.now)
    )
