"""The person who is signed in."""

from headwater import Id, MutationCtx, QueryCtx, mutation, query

from backend.access import signed_in, viewer
from backend.schema import User


@mutation
async def store_user(ctx: MutationCtx) -> Id[User]:
    """Keep who has just signed in, from what their token says; call it once after signing in."""
    user = await signed_in(ctx)
    return user.id


@query
async def get_me(ctx: QueryCtx) -> User | None:
    """The signed-in person as stored; null for visitors, and until `store_user` has run."""
    return await viewer(ctx)
