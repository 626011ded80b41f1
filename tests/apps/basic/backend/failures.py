"""Functions that fail, each in its own way."""

import asyncio
import json
import sys
from typing import Any

from backend.schema import Counter

from headwater import ActionCtx, AppError, MutationCtx, QueryCtx, action, mutation, query

REFUSAL = {"code": "RATE_LIMITED", "retryAfterMs": 900}


@query
async def refused_query(ctx: QueryCtx, name: str) -> int:
    """Refuses with data once the counter of that name exists."""
    counter = await ctx.db.query(Counter).with_index("by_name", name=name).unique()
    if counter is not None:
        raise AppError(REFUSAL)
    return 0


@query
async def broken_query(ctx: QueryCtx) -> int:
    """Divides by zero."""
    return 1 // 0


@mutation
async def refused(ctx: MutationCtx, data: Any) -> None:
    """Refuses with whatever data it is given."""
    raise AppError(data)


@mutation
async def broken(ctx: MutationCtx) -> None:
    """Fails as code with a mistake does."""
    raise ValueError("the cable is out")


@mutation
async def broken_after_write(ctx: MutationCtx, name: str) -> None:
    """Writes, then fails: nothing of it may stay."""
    await ctx.db.insert(Counter(name=name, value=1))
    raise ValueError("after the write")


@action
async def refused_action(ctx: ActionCtx) -> None:
    """An action that refuses with data."""
    raise AppError(REFUSAL)


class Unspeakable(Exception):
    """An error whose text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@mutation
async def unspeakable(ctx: MutationCtx) -> None:
    """Fails without words."""
    raise Unspeakable


@query
async def unspeakable_query(ctx: QueryCtx) -> None:
    """The same in a query."""
    raise Unspeakable


@mutation
async def no_unicode(ctx: MutationCtx) -> None:
    """Fails with a text that is no Unicode."""
    raise ValueError(json.loads(r'"half of a pair: \ud800"'))


@query
async def no_unicode_query(ctx: QueryCtx) -> None:
    """The same in a query."""
    raise ValueError(json.loads(r'"half of a pair: \ud800"'))


@mutation
async def circular(ctx: MutationCtx) -> None:
    """Refuses with data that has no end."""
    data: dict[str, Any] = {}
    data["again"] = data
    raise AppError(data)


@action
async def unspeakable_action(ctx: ActionCtx) -> None:
    """Fails without words."""
    raise Unspeakable


@action
async def exiting_action(ctx: ActionCtx) -> None:
    """Ends what it takes for its own process."""
    sys.exit(3)


@action
async def exiting_child(ctx: ActionCtx) -> str:
    """A task of it ends the loop it runs on."""

    async def leave() -> None:
        sys.exit(3)

    await asyncio.gather(leave(), return_exceptions=True)
    return "unreached"


@action
async def stopping_action(ctx: ActionCtx) -> str:
    """Stops the loop it runs on."""
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0)
    return "still here"


@action
async def cancelled_action(ctx: ActionCtx) -> None:
    """Cancels itself."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)
