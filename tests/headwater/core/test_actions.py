"""Actions: bounded in number and time, never retried."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from headwater import (
    ActionCtx,
    AppError,
    MutationCtx,
    QueryCtx,
    action,
    internal_mutation,
    mutation,
    query,
)
from headwater.core.actions import ActionHost
from headwater.core.calls import Call, Calls
from headwater.core.placement import InProcess
from headwater.errors import Conflict, HeadwaterError, Overloaded
from headwater.settings import Limits
from headwater.testing import FunctionFailed
from tests.headwater.core.stores import database_of
from tests.headwater.core.things import app_of, backend_of


@action
async def wait(ctx: ActionCtx) -> None:
    """Until it is cancelled."""
    await asyncio.Event().wait()


@internal_mutation
async def refuse(ctx: MutationCtx, data: Any) -> None:
    """With data, or without."""
    if data is None:
        raise ValueError("no")
    raise AppError(data)


@action
async def try_it(ctx: ActionCtx, data: Any) -> str:
    """What the mutation's error is here."""
    try:
        await ctx.run_mutation(refuse, data=data)
    except AppError as error:
        return f"app {error.data}"
    except HeadwaterError as error:
        return str(error)
    return "nothing"


@mutation
async def act(ctx: MutationCtx) -> None:
    """Nothing."""


@internal_mutation
async def be_busy(ctx: MutationCtx, conflict: bool) -> None:
    """As the engine is now and then."""
    raise Conflict if conflict else Overloaded("Come back later.")


@action
async def meet_busy(ctx: ActionCtx, conflict: bool) -> str:
    """The class and text of what the mutation raised."""
    try:
        await ctx.run_mutation(be_busy, conflict=conflict)
    except (Conflict, Overloaded) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


@query
async def who(ctx: QueryCtx) -> str:
    """The caller."""
    return (await ctx.auth.require_identity()).subject


@action
async def who_inside(ctx: ActionCtx, deeper: bool) -> str:
    """The caller, as functions inside see it."""
    return await (ctx.run_action(who_inside, deeper=False) if deeper else ctx.run_query(who))


@query
async def query_for_ever(ctx: QueryCtx) -> None:
    """Runs itself."""
    await ctx.run_query(query_for_ever)


@mutation
async def mutate_for_ever(ctx: MutationCtx) -> None:
    """Runs itself."""
    await ctx.run_mutation(mutate_for_ever)


@action
async def act_for_ever(ctx: ActionCtx) -> None:
    """Runs itself."""
    await ctx.run_action(act_for_ever)


@action
async def act_down(ctx: ActionCtx, levels: int) -> int:
    """Runs itself a few times."""
    return levels and 1 + await ctx.run_action(act_down, levels=levels - 1)


def host_of(**limits: Any) -> ActionHost:
    """A host of the action that waits."""
    placement = InProcess(app_of(wait), Limits(**limits))
    database = database_of(limits=Limits(**limits))
    calls = Calls(database, placement)
    return ActionHost(database, calls, lambda _call, _reply: None, lambda _work: None)


CALL = Call("things:wait", "action", {})


def test_actions_at_once_is_a_limit() -> None:
    """The third of two is refused at once; a place that is free again is given."""

    async def three() -> str:
        host = host_of(actions_at_once=2)
        running = [asyncio.create_task(host.run(CALL)) for _ in range(2)]
        while host.running < 2:
            await asyncio.sleep(0)
        outcome = await host.run(CALL)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        assert host.running == 0
        assert outcome.failure is not None
        return outcome.failure.message

    assert "2 actions are running; try again later" in asyncio.run(three())


def test_action_limit_s_is_a_limit() -> None:
    """Past it the action is ended with an error that names it."""
    outcome = asyncio.run(host_of(action_limit_s=0.01).run(CALL))
    assert outcome.failure is not None
    assert "action things:wait ran longer than its limit of 0.01 s" in outcome.failure.message


@pytest.mark.parametrize(
    ("data", "told"), [({"code": 7}, "app {'code': 7.0}"), (None, "ValueError: no")]
)
def test_a_called_function_s_error_arrives(data: Any, told: str) -> None:
    """An AppError with its data, another one as a text."""
    backend = backend_of(try_it, refuse)
    assert told in backend.action(try_it, data=data)


def test_a_mutation_is_no_action() -> None:
    """And is not run as one."""
    with pytest.raises(FunctionFailed, match="as a action, but it is defined as a mutation"):
        backend_of(act).action("things:act")


@pytest.mark.parametrize(
    ("conflict", "told"),
    [
        (True, "Conflict: Documents read by this mutation changed while it ran."),
        (False, "Overloaded: Come back later."),
    ],
)
def test_a_busy_engine_reaches_an_action_as_such(conflict: bool, told: str) -> None:
    """So that it can try again, and does not for any other error."""
    assert backend_of(meet_busy, be_busy).action(meet_busy, conflict=conflict) == told


@pytest.mark.parametrize("deeper", [False, True])
def test_the_caller_is_the_same_inside(deeper: bool) -> None:
    """Identity passes to what an action runs, and to what that runs."""
    ana = backend_of(who, who_inside).with_identity(subject="ana")
    assert ana.action(who_inside, deeper=deeper) == "ana"


def test_an_action_and_those_it_runs_count_once() -> None:
    """One place is enough for a chain of them: they wait for one another."""
    backend = backend_of(act_down, limits=Limits(actions_at_once=1))
    assert backend.action(act_down, levels=5) == 5


@pytest.mark.parametrize(
    ("kind", "function"),
    [("query", query_for_ever), ("mutation", mutate_for_ever), ("action", act_for_ever)],
)
def test_a_function_that_runs_itself_without_end_is_refused(kind: str, function: Any) -> None:
    """With an error that names it and says what to do, for every kind."""
    backend = backend_of(query_for_ever, mutate_for_ever, act_for_ever)
    with pytest.raises(FunctionFailed) as refused:
        getattr(backend, kind)(function)
    assert f"{function.path} would be run inside 32 functions" in str(refused.value)
    assert "Does one of them run itself?" in str(refused.value)


@pytest.mark.parametrize(("levels", "fits"), [(2, True), (3, False)])
def test_nested_calls_is_a_limit(levels: int, fits: bool) -> None:
    """Three actions deep where three may be, one more is refused."""
    backend = backend_of(act_down, limits=Limits(nested_calls=3))
    if fits:
        assert backend.action(act_down, levels=levels) == levels
        return
    with pytest.raises(FunctionFailed, match="inside 3 functions"):
        backend.action(act_down, levels=levels)
