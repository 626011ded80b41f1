"""What the page asks for, again and again."""

from headwater import QueryCtx, internal_query

from backend.schema import Message


@internal_query
async def newest_of(ctx: QueryCtx, room_id: str, since: float) -> list[Message]:
    """The messages of a room since a time (ms since 1970), newest last; at most the last 100."""
    newest = (
        await ctx.db.query(Message)
        .with_index("by_room", room_id=room_id, timestamp__gte=since)
        .order("desc")
        .take(100)
    )
    return newest[::-1]
