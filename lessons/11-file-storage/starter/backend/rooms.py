"""Rooms to talk in: those of a project are for its members, every other is open to all."""

from typing import Annotated

from headwater import Id, MutationCtx, QueryCtx, mutation, query
from pydantic import Field

from backend.access import member
from backend.schema import Project, Room

MOST = 100


async def enter(ctx: QueryCtx, room_id: str) -> None:
    """The caller may be in a room, or an AppError: NOT_FOUND for who may not know of it."""
    known = ctx.db.normalize_id(Room, room_id)
    room = await ctx.db.get(known) if known else None
    if room is not None:
        await member(ctx, room.project_id)


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
    return await ctx.db.insert(Room(project_id=project_id, name=name))
