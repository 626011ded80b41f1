"""Values of every kind, there and back."""

from typing import Any

from backend.schema import Sample

from headwater import ActionCtx, Int64, Model, MutationCtx, QueryCtx, action, mutation, query


class Typed(Model):
    """One field per kind of value a learner writes a type for."""

    number: float
    whole: int
    big_number: Int64
    raw: bytes
    text: str
    flag: bool
    nothing: None
    many: list[float]


@query
async def echo(ctx: QueryCtx, value: Any) -> Any:
    """The value itself."""
    return value


@query
async def kind(ctx: QueryCtx, value: Any) -> str:
    """The name of the Python type a value arrives as."""
    return type(value).__name__


@query
async def typed(ctx: QueryCtx, value: Typed) -> Typed:
    """A typed value itself."""
    assert type(value.whole) is int
    return value


@mutation
async def keep(ctx: MutationCtx, name: str, value: Any) -> None:
    """Store a value under a name."""
    await ctx.db.insert(Sample(name=name, value=value))


@query
async def kept(ctx: QueryCtx, name: str) -> Any:
    """The value stored under a name; null when there is none."""
    sample = await ctx.db.query(Sample).with_index("by_name", name=name).unique()
    return None if sample is None else sample.value


@mutation
async def grow(ctx: MutationCtx, name: str, size: int, mark: float) -> None:
    """Store a text of that size under a name, beginning with the mark."""
    sample = await ctx.db.query(Sample).with_index("by_name", name=name).unique()
    value = {"mark": mark, "filling": "x" * size}
    if sample is None:
        await ctx.db.insert(Sample(name=name, value=value))
    else:
        await ctx.db.patch(sample.id, value=value)


@action
async def echo_action(ctx: ActionCtx, value: Any) -> Any:
    """The value itself, through an action."""
    return value
