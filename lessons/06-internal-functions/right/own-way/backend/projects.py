"""Projects. Everyone lists the ones they are a member of."""

from typing import Annotated

from headwater import Id, MutationCtx, QueryCtx, mutation, query
from pydantic import Field

from backend.access import member, signed_in, viewer
from backend.cleanup import purge_project
from backend.schema import Project, ProjectMember


@query
async def get_projects(ctx: QueryCtx) -> list[Project]:
    """The signed-in person's projects, oldest first; none for a visitor who has not signed in."""
    user = await viewer(ctx)
    if user is None:
        return []
    mine = await ctx.db.query(ProjectMember).with_index("by_user", user_id=user.id).take(100)
    projects = [await ctx.db.get(each.project_id) for each in mine]
    return [each for each in projects if each is not None]


@mutation
async def create_project(
    ctx: MutationCtx, name: Annotated[str, Field(max_length=100)]
) -> Id[Project]:
    """Start a project that the signed-in person owns."""
    user = await signed_in(ctx)
    project_id = await ctx.db.insert(Project(name=name, owner=user.subject))
    await ctx.db.insert(ProjectMember(project_id=project_id, user_id=user.id, role="owner"))
    return project_id


@mutation
async def delete_project(ctx: MutationCtx, project_id: Id[Project]) -> None:
    """Delete a project; what was in it is taken away a moment later. For owners."""
    await member(ctx, project_id, "owner")
    await ctx.db.delete(project_id)
    await ctx.scheduler.run_after(0, purge_project, project_id=project_id)


@mutation
async def leave_project(ctx: MutationCtx, project_id: Id[Project]) -> None:
    """Be a member no longer; a function of one's own, for a page of one's own."""
    own = await member(ctx, project_id)
    await ctx.db.delete(own.id)
