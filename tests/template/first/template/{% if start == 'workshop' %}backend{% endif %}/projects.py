"""Projects. Everyone lists the ones they own."""

from typing import Annotated

from headwater import Id, MutationCtx, QueryCtx, mutation, query
from pydantic import Field

from backend.schema import Project


@query
async def get_projects(ctx: QueryCtx) -> list[Project]:
    """The signed-in person's projects, oldest first; none for a visitor who has not signed in."""
    identity = await ctx.auth.get_user_identity()
    if identity is None:
        return []
    return await ctx.db.query(Project).with_index("by_owner", owner=identity.subject).take(100)


@mutation
async def create_project(
    ctx: MutationCtx, name: Annotated[str, Field(max_length=100)]
) -> Id[Project]:
    """Start a project that the signed-in person owns."""
    identity = await ctx.auth.require_identity()
    return await ctx.db.insert(Project(name=name, owner=identity.subject))
