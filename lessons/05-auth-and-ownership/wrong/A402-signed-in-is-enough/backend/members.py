"""Who works on a project: members, admins and owners."""

from headwater import Id, Model, MutationCtx, QueryCtx, mutation, query

from backend.access import forbidden, member, membership, not_found, signed_in
from backend.schema import Project, ProjectMember, Role, User


class MemberRow(Model):
    """One person in the list of members."""

    member_id: Id[ProjectMember]
    user_id: Id[User]
    name: str
    role: Role


@query
async def get_members(ctx: QueryCtx, project_id: Id[Project]) -> list[MemberRow]:
    """The people of a project, at most 200. For members."""
    await member(ctx, project_id)
    members = ctx.db.query(ProjectMember).with_index("by_project", project_id=project_id)
    return [await row(ctx, each) for each in await members.take(200)]


@mutation
async def invite_member(
    ctx: MutationCtx, project_id: Id[Project], user_id: Id[User], role: Role = "member"
) -> Id[ProjectMember]:
    """Make somebody a member of a project."""
    await member(ctx, project_id)
    if await ctx.db.get(user_id) is None:
        raise not_found()
    there = await membership(ctx, project_id, user_id)
    if there is not None:
        return there.id
    return await ctx.db.insert(ProjectMember(project_id=project_id, user_id=user_id, role=role))


@mutation
async def remove_member(ctx: MutationCtx, member_id: Id[ProjectMember]) -> None:
    """Leave a project, or as an owner take somebody else out of it."""
    user = await signed_in(ctx)
    target = await ctx.db.get(member_id)
    mine = None if target is None else await membership(ctx, target.project_id, user.id)
    if target is None or mine is None:
        raise not_found()
    if mine.role == "owner" and mine.id == target.id:
        raise forbidden("An owner stays.")
    if mine.role != "owner" and mine.id != target.id:
        raise forbidden("Only an owner takes others out of a project.")
    await ctx.db.delete(member_id)


async def row(ctx: QueryCtx, each: ProjectMember) -> MemberRow:
    """A membership with the person's name."""
    user = await ctx.db.get(each.user_id)
    name = "?" if user is None else user.name
    return MemberRow(member_id=each.id, user_id=each.user_id, name=name, role=each.role)
