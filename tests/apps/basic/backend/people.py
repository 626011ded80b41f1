"""Who calls, and what only the backend may call."""

from typing import Any

from backend.counters import increment, read

from headwater import (
    ActionCtx,
    MutationCtx,
    QueryCtx,
    action,
    internal_mutation,
    internal_query,
    query,
)


@query
async def whoami(ctx: QueryCtx) -> str | None:
    """The caller's subject; null for a stranger."""
    identity = await ctx.auth.get_user_identity()
    return None if identity is None else identity.subject


@query
async def members_only(ctx: QueryCtx) -> str:
    """Refuses strangers."""
    return (await ctx.auth.require_identity()).subject


@internal_query
async def secret(ctx: QueryCtx) -> str:
    """For the backend itself only."""
    return "hidden"


@internal_mutation
async def secret_write(ctx: MutationCtx) -> None:
    """For the backend itself only."""
    raise AssertionError("a client reached an internal mutation")


@action
async def count_twice(ctx: ActionCtx, name: str) -> Any:
    """Increments twice in two transactions and reads what is there then."""
    await ctx.run_mutation(increment, name=name)
    await ctx.run_mutation(increment, name=name)
    return await ctx.run_query(read, name=name)


@action
async def tell_secret(ctx: ActionCtx) -> str:
    """Internal functions are there for other functions."""
    return await ctx.run_query(secret)
