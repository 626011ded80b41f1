"""Who is in a room now: each page says every few seconds that it is there, and silence ends it."""

from headwater import Id, MutationCtx, QueryCtx, internal_mutation, mutation, query

from backend.access import signed_in
from backend.rooms import enter
from backend.schema import Presence, User

GONE_AFTER_MS = 15_000
OFTEN_MS = 1_000


@mutation
async def heartbeat(ctx: MutationCtx, room_id: str) -> None:
    """Say that the signed-in person is in a room; a page calls it every five seconds.

    A query sees no time pass, so it cannot leave out who is gone. Each heartbeat schedules the
    end of its own word instead; a later heartbeat makes that end mean nothing.
    """
    await enter(ctx, room_id)
    user = await signed_in(ctx)
    here = await _presence_of(ctx, user.id, room_id)
    if here is not None and ctx.now - here.seen_at < OFTEN_MS:
        return
    if here is None:
        fresh = Presence(room_id=room_id, user_id=user.id, name=user.name, seen_at=ctx.now)
        presence_id = await ctx.db.insert(fresh)
    else:
        presence_id = here.id
        await ctx.db.patch(presence_id, name=user.name, seen_at=ctx.now)
    await ctx.scheduler.run_after(GONE_AFTER_MS, expire, presence_id=presence_id, seen_at=ctx.now)


@query
async def get_present(ctx: QueryCtx, room_id: str) -> list[str]:
    """The names of those in a room, who came first first."""
    await enter(ctx, room_id)
    present = await ctx.db.query(Presence).with_index("by_room", room_id=room_id).take(100)
    return [one.name for one in present]


@mutation
async def leave(ctx: MutationCtx, room_id: str) -> None:
    """Go at once, as a page does that is closed. Who is in no such room goes nowhere."""
    user = await signed_in(ctx)
    here = await _presence_of(ctx, user.id, room_id)
    if here is not None:
        await ctx.db.delete(here.id)


@internal_mutation
async def expire(ctx: MutationCtx, presence_id: Id[Presence], seen_at: float) -> None:
    """End a presence that nothing was heard of since."""
    here = await ctx.db.get(presence_id)
    if here is not None and here.seen_at == seen_at:
        await ctx.db.delete(presence_id)


async def _presence_of(ctx: MutationCtx, user_id: Id[User], room_id: str) -> Presence | None:
    presences = ctx.db.query(Presence)
    return await presences.with_index("by_user_room", user_id=user_id, room_id=room_id).unique()
