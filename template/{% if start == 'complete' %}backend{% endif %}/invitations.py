"""Invitations: a code that is shown once, makes one person a member, and is worth 7 days.

Chance that nobody can guess is not for mutations, which run again with the same seed: the code is
made in an action, and all that is stored of it is its SHA-256.
"""

import hashlib
import secrets
from typing import Annotated

from headwater import (
    ActionCtx,
    Id,
    Model,
    MutationCtx,
    QueryCtx,
    action,
    internal_mutation,
    mutation,
    query,
)
from pydantic import Field

from backend.access import (
    RANKS,
    forbidden,
    is_open_to,
    member,
    membership,
    not_found,
    signed_in,
)
from backend.rate_limits import take_token
from backend.schema import Invitation, Project, ProjectMember, Role, User

VALID_MS = 7 * 24 * 3600 * 1000
BURST = 20
REFILL_MS = 60_000


class InvitationRow(Model):
    """An invitation that nobody has accepted yet; `expires_at` may be past."""

    invitation_id: Id[Invitation]
    role: Role
    invited_by: Id[User]
    expires_at: float


@action
async def invite(ctx: ActionCtx, project_id: Id[Project], role: Role) -> str:
    """Make a code that lets one person into a project; it is shown only now. For admins."""
    code = secrets.token_urlsafe(24)
    await ctx.run_mutation(
        keep_invitation, project_id=project_id, role=role, code_hash=hash_of(code)
    )
    return code


@internal_mutation
async def keep_invitation(
    ctx: MutationCtx, project_id: Id[Project], role: Role, code_hash: str
) -> None:
    """Store an invitation of the caller's, who gives nobody a higher role than their own."""
    mine = await member(ctx, project_id, "admin")
    if RANKS.index(role) > RANKS.index(mine.role):
        raise forbidden(f"Only an {role} may invite an {role}.")
    await take_token(ctx, f"invite:{mine.user_id}", burst=BURST, refill_ms=REFILL_MS)
    await ctx.db.insert(
        Invitation(
            project_id=project_id,
            role=role,
            code_hash=code_hash,
            invited_by=mine.user_id,
            expires_at=ctx.now + VALID_MS,
        )
    )


@mutation
async def accept_invitation(
    ctx: MutationCtx, code: Annotated[str, Field(max_length=100)]
) -> Id[Project]:
    """Become a member with a code. For who is one already nothing changes, and it stays good."""
    user = await signed_in(ctx)
    invitations = ctx.db.query(Invitation)
    found = await invitations.with_index("by_code_hash", code_hash=hash_of(code)).unique()
    if found is None or not await _is_good(ctx, found):
        raise not_found()
    if await membership(ctx, found.project_id, user.id) is None:
        await ctx.db.patch(found.id, accepted_at=ctx.now)
        await ctx.db.insert(
            ProjectMember(project_id=found.project_id, user_id=user.id, role=found.role)
        )
    return found.project_id


@query
async def get_invitations(ctx: QueryCtx, project_id: Id[Project]) -> list[InvitationRow]:
    """The invitations that are still to be accepted, newest first, at most 100. For admins."""
    await member(ctx, project_id, "admin")
    invitations = ctx.db.query(Invitation).with_index("by_project", project_id=project_id)
    still_open = invitations.order("desc").filter(lambda each: each.accepted_at is None)
    return [
        InvitationRow(
            invitation_id=each.id,
            role=each.role,
            invited_by=each.invited_by,
            expires_at=each.expires_at,
        )
        for each in await still_open.take(100)
    ]


@mutation
async def revoke_invitation(ctx: MutationCtx, invitation_id: Id[Invitation]) -> None:
    """Make a code worthless. For admins."""
    await signed_in(ctx)
    invitation = await ctx.db.get(invitation_id)
    if invitation is None:
        raise not_found()
    await member(ctx, invitation.project_id, "admin")
    await ctx.db.delete(invitation_id)


def hash_of(code: str) -> str:
    """What is stored of a code. It has 192 random bits, so that it needs no salt."""
    return hashlib.sha256(code.encode()).hexdigest()


async def _is_good(ctx: MutationCtx, invitation: Invitation) -> bool:
    """Whether a code is worth something now. Its maker must still be allowed to make it: who was
    taken out of a project does not come back with a code of their own.
    """
    if invitation.accepted_at is not None or invitation.expires_at <= ctx.now:
        return False
    if not await is_open_to(ctx, invitation.project_id, invitation.invited_by):
        return False
    maker = await membership(ctx, invitation.project_id, invitation.invited_by)
    needed = max(RANKS.index("admin"), RANKS.index(invitation.role))
    return maker is not None and RANKS.index(maker.role) >= needed
