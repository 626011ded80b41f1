"""Every kind of value, in and out."""

from typing import Any

from backend.schema import Address, Color, Person, Thing

from headwater import ActionCtx, Id, Int64, MutationCtx, QueryCtx, action, mutation, query


@query
async def one(ctx: QueryCtx, id: Id[Thing]) -> Thing | None:
    """A document of every kind of field."""
    return await ctx.db.get(id)


@mutation
async def keep(
    ctx: MutationCtx,
    number: float,
    long: Int64,
    raw: bytes,
    color: Color,
    scores: dict[str, float],
    votes: dict[Id[Person], bool],
    either: str | float | None,
    address: Address,
    any_id: Id[Any],
    tags: list[str] | None = None,
) -> bytes:
    """An argument of each kind."""
    return raw


@action
async def anything(ctx: ActionCtx, /, **fields: Any) -> Any:
    """Takes any object."""
    return fields


@query(name="not-a-name")
async def quoted(ctx: QueryCtx) -> Int64:
    """A name that needs quotes."""
    return Int64(1)
