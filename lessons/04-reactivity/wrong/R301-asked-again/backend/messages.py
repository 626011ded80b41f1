"""Chat messages, one list per room."""

from typing import Annotated

from headwater import ActionCtx, Id, MutationCtx, QueryCtx, action, mutation, query
from pydantic import Field

from backend.newest import newest_of
from backend.schema import Message


@query
async def list_messages(ctx: QueryCtx, room_id: str) -> list[Message]:
    """The last 50 messages of a room, oldest first."""
    newest = (
        await ctx.db.query(Message).with_index("by_room", room_id=room_id).order("desc").take(50)
    )
    return newest[::-1]


@action
async def recent_messages(ctx: ActionCtx, room_id: str, since: float) -> list[Message]:
    """The messages of a room since a time; a page asks again every 200 ms."""
    return await ctx.run_query(newest_of, room_id=room_id, since=since)


@mutation
async def send_message(
    ctx: MutationCtx, room_id: str, content: Annotated[str, Field(max_length=2000)]
) -> Id[Message]:
    """Say something in a room, as the signed-in person."""
    identity = await ctx.auth.require_identity()
    return await ctx.db.insert(
        Message(content=content, user_id=identity.subject, room_id=room_id, timestamp=ctx.now)
    )
