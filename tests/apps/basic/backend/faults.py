"""Functions that fail as a busy engine does, for tests of clients."""

import asyncio

from backend.counters import increment

from headwater import ActionCtx, MutationCtx, QueryCtx, action, mutation, query
from headwater.errors import Conflict, Overloaded

_left: dict[str, int] = {}


@mutation
async def busy(ctx: MutationCtx, name: str, runs: int, conflict: bool) -> int:
    """Meets a busy engine that many times under a name, then gives how often it was run."""
    left = _left[name] = _left.get(name, runs + 1) - 1
    if left > 0:
        raise Conflict if conflict else Overloaded
    return runs + 1


@query
async def overloaded(ctx: QueryCtx) -> None:
    """Meets an engine with too much to do."""
    raise Overloaded


@action
async def through_an_action(ctx: ActionCtx, name: str, runs: int) -> str:
    """What an action meets when its mutation meets a conflict."""
    try:
        return f"ran {await ctx.run_mutation(busy, name=name, runs=runs, conflict=True)} times"
    except Conflict:
        return "conflict"


@action
async def count_around_a_wait(ctx: ActionCtx, name: str, seconds: float) -> None:
    """Counts, waits, and counts again."""
    await ctx.run_mutation(increment, name=name)
    await asyncio.sleep(seconds)
    await ctx.run_mutation(increment, name=name)
