"""Actions: bounded in number and time, never retried."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from headwater import ActionCtx, AppError, MutationCtx, action, internal_mutation, mutation
from headwater.core.actions import ActionHost
from headwater.core.calls import Call, Calls
from headwater.core.placement import InProcess
from headwater.errors import HeadwaterError
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
