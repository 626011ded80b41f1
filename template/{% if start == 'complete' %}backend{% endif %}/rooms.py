"""Rooms to talk in: the lobby for everyone who is signed in, and the rooms of each project."""

from typing import Annotated

from headwater import Id, MutationCtx, QueryCtx, mutation, query
from pydantic import Field

from backend.access import RANKS, invalid, member, not_found
from backend.schema import Project, Role, Room

LOBBY = "general"
MOST = 100


async def enter(ctx: QueryCtx, room_id: str) -> Role:
    """What the caller is in a room, or an AppError: NOT_FOUND for who may not know of it."""
    if room_id == LOBBY:
        await ctx.auth.require_identity()
        return "member"
    known = ctx.db.normalize_id(Room, room_id)
    room = await ctx.db.get(known) if known else None
    if room is None:
        await ctx.auth.require_identity()
        raise not_found()
    return (await member(ctx, room.project_id)).role


def is_admin(role: Role) -> bool:
    """Whether somebody with this role keeps order."""
    return RANKS.index(role) >= RANKS.index("admin")


@query
async def get_rooms(ctx: QueryCtx, project_id: Id[Project]) -> list[Room]:
    """The rooms of a project, oldest first. For members."""
    await member(ctx, project_id)
    return await ctx.db.query(Room).with_index("by_project", project_id=project_id).take(MOST)


@mutation
async def create_room(
    ctx: MutationCtx,
    project_id: Id[Project],
    name: Annotated[str, Field(min_length=1, max_length=100)],
) -> Id[Room]:
    """Open a room in a project. For members."""
    await member(ctx, project_id)
    rooms = await ctx.db.query(Room).with_index("by_project", project_id=project_id).take(MOST)
    if len(rooms) == MOST:
        raise invalid(f"A project has {MOST} rooms at most.")
    return await ctx.db.insert(Room(project_id=project_id, name=name))
