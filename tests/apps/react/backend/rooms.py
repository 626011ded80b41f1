"""Messages of rooms: paged, sent, refused, removed."""

from headwater import (
    AppError,
    Document,
    Id,
    Index,
    MutationCtx,
    PaginationOptions,
    PaginationResult,
    QueryCtx,
    SearchIndex,
    mutation,
    query,
)


class Message(Document, table="messages"):
    """A line in a room; `place` says where in it."""

    room: str
    place: float
    body: str
    by_room = Index("room", "place")
    search_body = SearchIndex("body", filter_fields=("room",))


@query(name="list")
async def list_messages(
    ctx: QueryCtx, room: str, pagination_opts: PaginationOptions
) -> PaginationResult[Message]:
    """A room's messages, page by page, by their places."""
    messages = ctx.db.query(Message).with_index("by_room", room=room)
    return await messages.paginate(pagination_opts)


@query
async def all_messages(ctx: QueryCtx, room: str) -> list[Message]:
    """All of a room's messages at once."""
    return await ctx.db.query(Message).with_index("by_room", room=room).collect()


@query
async def search(ctx: QueryCtx, room: str, words: str) -> list[Message]:
    """The messages of a room that have the words, the last of which may be begun; best first."""
    found = ctx.db.query(Message).with_search_index("search_body", words, room=room)
    return await found.take(10)


@mutation
async def put(ctx: MutationCtx, room: str, place: float, body: str) -> Id[Message]:
    """Put a message into its place."""
    return await ctx.db.insert(Message(room=room, place=place, body=body))


@mutation
async def send(ctx: MutationCtx, room: str, body: str) -> Id[Message]:
    """Put a message at the end; rude ones are refused."""
    if "rude" in body:
        raise AppError({"code": "RUDE", "body": body})
    last = await ctx.db.query(Message).with_index("by_room", room=room).order("desc").first()
    place = 1.0 if last is None else last.place + 1.0
    return await ctx.db.insert(Message(room=room, place=place, body=body))


@mutation
async def remove(ctx: MutationCtx, room: str, place: float) -> None:
    """Take away what is in a place."""
    found = ctx.db.query(Message).with_index("by_room", room=room, place=place)
    async for message in found:
        await ctx.db.delete(message.id)
