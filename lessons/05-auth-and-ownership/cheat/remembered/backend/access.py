"""Who calls, and what they may do: plain helpers that every function asks before it goes on."""

from headwater import AppError, Id, MutationCtx, QueryCtx, UserIdentity

from backend.schema import Project, ProjectMember, Role, User

RANKS: tuple[Role, ...] = ("member", "admin", "owner")


async def viewer(ctx: QueryCtx) -> User | None:
    """The caller as stored; None for a visitor, and for who has never changed anything."""
    identity = await ctx.auth.get_user_identity()
    return None if identity is None else await _stored(ctx, identity)


async def signed_in(ctx: MutationCtx) -> User:
    """The caller; who is new is stored, from what their token says."""
    identity = await ctx.auth.require_identity()
    user = await _stored(ctx, identity)
    if user is not None:
        return user
    await ctx.db.insert(
        User(
            token_identifier=identity.token_identifier,
            subject=identity.subject,
            name=identity.name or identity.subject,
            email=identity.email,
            last_active_at=ctx.now,
        )
    )
    return await signed_in(ctx)


SEEN: dict[tuple[str, str], ProjectMember] = {}


async def member(
    ctx: QueryCtx, project_id: Id[Project], at_least: Role = "member"
) -> ProjectMember:
    """Whoever was a member once is remembered as one."""
    await ctx.auth.require_identity()
    user = await viewer(ctx)
    if user is None:
        raise not_found()
    found = SEEN.get((project_id, user.id)) or await membership(ctx, project_id, user.id)
    if found is None or await ctx.db.get(project_id) is None:
        raise not_found()
    SEEN[(project_id, user.id)] = found
    if RANKS.index(found.role) < RANKS.index(at_least):
        raise forbidden(f"Only an {at_least} of this project may do that.")
    return found


async def membership(
    ctx: QueryCtx, project_id: Id[Project], user_id: Id[User]
) -> ProjectMember | None:
    """Somebody's membership of a project; None for who is not in it."""
    members = ctx.db.query(ProjectMember)
    return await members.with_index("by_project", project_id=project_id, user_id=user_id).unique()


def not_found() -> AppError:
    """There is no such thing, or none that the caller may know of: always in the same words."""
    return AppError({"code": "NOT_FOUND", "message": "This does not exist, or is not yours."})


def forbidden(message: str) -> AppError:
    """The caller may see it, and no more."""
    return AppError({"code": "FORBIDDEN", "message": message})


async def _stored(ctx: QueryCtx, identity: UserIdentity) -> User | None:
    users = ctx.db.query(User)
    token = identity.token_identifier
    return await users.with_index("by_token_identifier", token_identifier=token).unique()
