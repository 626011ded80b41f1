"""Who works on a project: members, admins and owners. There is always an owner."""

from headwater import Id, Model, MutationCtx, QueryCtx, mutation, query

from backend.access import RANKS, forbidden, invalid, member, membership, not_found, signed_in
from backend.rate_limits import take_token
from backend.schema import Project, ProjectMember, Role, User

BURST = 20
REFILL_MS = 60_000


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
    return [await _row(ctx, each) for each in await members.take(200)]


@mutation
async def invite_member(
    ctx: MutationCtx, project_id: Id[Project], user_id: Id[User], role: Role = "member"
) -> Id[ProjectMember]:
    """Make somebody who has an account a member, with at most the caller's own role. For admins.

    Who is a member already stays what they are. `invitations.py` is for those without an account.
    """
    mine = await member(ctx, project_id, "admin")
    if RANKS.index(role) > RANKS.index(mine.role):
        raise forbidden(f"Only an {role} may invite an {role}.")
    await take_token(ctx, f"invite:{mine.user_id}", burst=BURST, refill_ms=REFILL_MS)
    if await ctx.db.get(user_id) is None:
        raise not_found()
    there = await membership(ctx, project_id, user_id)
    if there is not None:
        return there.id
    return await ctx.db.insert(ProjectMember(project_id=project_id, user_id=user_id, role=role))


@mutation
async def set_role(ctx: MutationCtx, member_id: Id[ProjectMember], role: Role) -> None:
    """Change what somebody may do. For owners; the last owner stays one."""
    target = await _target(ctx, member_id)
    await member(ctx, target.project_id, "owner")
    if role != "owner":
        await _keep_an_owner(ctx, target)
    await ctx.db.patch(member_id, role=role)


@mutation
async def remove_member(ctx: MutationCtx, member_id: Id[ProjectMember]) -> None:
    """Leave a project, or take somebody out of it: for admins, and only up to their own role."""
    target = await _target(ctx, member_id)
    mine = await member(ctx, target.project_id)
    if mine.id != target.id:
        await member(ctx, target.project_id, "admin")
        if RANKS.index(target.role) > RANKS.index(mine.role):
            raise forbidden("Only an owner may take an owner out of a project.")
    await _keep_an_owner(ctx, target)
    await ctx.db.delete(member_id)


async def _target(ctx: MutationCtx, member_id: Id[ProjectMember]) -> ProjectMember:
    await signed_in(ctx)
    target = await ctx.db.get(member_id)
    if target is None:
        raise not_found()
    return target


async def _keep_an_owner(ctx: MutationCtx, leaving: ProjectMember) -> None:
    """Refuse to lose the last owner: nobody could delete the project, or name another owner."""
    members = ctx.db.query(ProjectMember).with_index("by_project", project_id=leaving.project_id)
    owners = await members.filter(lambda each: each.role == "owner").take(2)
    if [each.id for each in owners] == [leaving.id]:
        raise invalid("This is the last owner: make somebody else an owner first.")


async def _row(ctx: QueryCtx, each: ProjectMember) -> MemberRow:
    user = await ctx.db.get(each.user_id)
    name = "?" if user is None else user.name
    return MemberRow(member_id=each.id, user_id=each.user_id, name=name, role=each.role)
