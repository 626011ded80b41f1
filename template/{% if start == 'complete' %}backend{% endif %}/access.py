"""Who calls, and what they may do: plain helpers that every function asks before it goes on.

A project that does not exist and one that is none of the caller's business give the same error,
so that a stranger who tries ids learns nothing.
"""

from headwater import AppError, Id, MutationCtx, QueryCtx, UserIdentity

from backend.counters import bump_today, day_of
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
        await _refresh(ctx, user, identity)
        return user
    await bump_today(ctx, "active_users")
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


async def member(
    ctx: QueryCtx, project_id: Id[Project], at_least: Role = "member", *, deleted: bool = False
) -> ProjectMember:
    """The caller's membership of a project, or an AppError: NOT_FOUND for who is no member,
    FORBIDDEN for a role that is too low. A deleted project is found only if `deleted` is asked for.
    """
    user = await _caller(ctx)
    project = await ctx.db.get(project_id)
    found = await membership(ctx, project_id, user.id) if user else None
    if found is None or project is None or (project.deleted_at is not None) != deleted:
        raise not_found()
    if RANKS.index(found.role) < RANKS.index(at_least):
        raise forbidden(f"Only an {at_least} of this project may do that.")
    return found


async def membership(
    ctx: QueryCtx, project_id: Id[Project], user_id: Id[User]
) -> ProjectMember | None:
    """Somebody's membership of a project, deleted or not."""
    members = ctx.db.query(ProjectMember)
    return await members.with_index("by_project", project_id=project_id, user_id=user_id).unique()


async def is_open_to(ctx: QueryCtx, project_id: Id[Project], user_id: Id[User]) -> bool:
    """Whether a project is there, not deleted, and somebody is a member of it."""
    project = await ctx.db.get(project_id)
    if project is None or project.deleted_at is not None:
        return False
    return await membership(ctx, project_id, user_id) is not None


def not_found() -> AppError:
    """There is no such thing, or none that the caller may know of: always in the same words."""
    return AppError({"code": "NOT_FOUND", "message": "This does not exist, or is not yours."})


def forbidden(message: str) -> AppError:
    """The caller may see it, and no more."""
    return AppError({"code": "FORBIDDEN", "message": message})


def invalid(message: str) -> AppError:
    """What was asked for makes no sense as things are."""
    return AppError({"code": "INVALID", "message": message})


async def _caller(ctx: QueryCtx) -> User | None:
    """Who calls, and must be signed in. A mutation stores them; a query cannot."""
    if isinstance(ctx, MutationCtx):
        return await signed_in(ctx)
    return await _stored(ctx, await ctx.auth.require_identity())


async def _stored(ctx: QueryCtx, identity: UserIdentity) -> User | None:
    users = ctx.db.query(User)
    token = identity.token_identifier
    return await users.with_index("by_token_identifier", token_identifier=token).unique()


async def _refresh(ctx: MutationCtx, user: User, identity: UserIdentity) -> None:
    """Note the first change of a day, and a new name or address."""
    if day_of(user.last_active_at) != day_of(ctx.now):
        await bump_today(ctx, "active_users")
        await ctx.db.patch(user.id, last_active_at=ctx.now)
    if identity.name not in (None, user.name):
        await ctx.db.patch(user.id, name=identity.name)
    if identity.email not in (None, user.email):
        await ctx.db.patch(user.id, email=identity.email)
