"""A backend whose query and mutation do what a test hands them: rows of semantics, one by one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from headwater import Document, Index, MutationCtx, QueryCtx, internal_mutation, mutation, query
from headwater.clock import VirtualClock
from headwater.settings import Limits
from headwater.testing import Backend
from tests.headwater.core.things import backend_of

How = Callable[[Any], Awaitable[Any]]


class Team(Document, table="teams"):
    """Who works together."""

    name: str


class Task(Document, table="tasks"):
    """Tasks by rank and title."""

    title: str
    rank: float | None = None
    by_rank = Index("rank", "title")


steps: list[How] = []
"""What the running calls do, the outermost first."""

watched: list[How] = []
"""What followed queries do."""


@query
async def watch(ctx: QueryCtx) -> Any:
    """Does what is watched."""
    return await watched[0](ctx)


@query
async def look(ctx: QueryCtx) -> Any:
    """Does the first step."""
    return await steps[0](ctx)


@mutation
async def act(ctx: MutationCtx) -> Any:
    """Does the first step."""
    return await steps[0](ctx)


@internal_mutation
async def part(ctx: MutationCtx) -> Any:
    """Does the second step, as a part of another."""
    return await steps[1](ctx)


class Probe:
    """One backend, empty at first."""

    def __init__(self, limits: Limits | None = None, clock: VirtualClock | None = None) -> None:
        members = (Team, Task, watch, look, act, part)
        self.backend: Backend = backend_of(*members, limits=limits, clock=clock)

    def query(self, how: How) -> Any:
        """What a query gives that does this; wire values."""
        steps[:] = [how]
        return self.backend.query("things:look", {})

    def mutation(self, how: How, inner: How | None = None) -> Any:
        """What a mutation gives that does this; `inner` is what its part does."""
        steps[:] = [how, *([inner] if inner else [])]
        return self.backend.mutation("things:act", {})

    def follow(self, how: How) -> Any:
        """A subscription to a query that does this."""
        watched[:] = [how]
        return self.backend.subscribe("things:watch", {})


async def nested(ctx: MutationCtx) -> Any:
    """Runs `part`."""
    return await ctx.run_mutation(part)
