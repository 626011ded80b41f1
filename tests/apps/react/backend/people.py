"""Who calls."""

from headwater import QueryCtx, query


@query
async def whoami(ctx: QueryCtx) -> str | None:
    """The caller's subject; null for a stranger."""
    identity = await ctx.auth.get_user_identity()
    return None if identity is None else identity.subject
