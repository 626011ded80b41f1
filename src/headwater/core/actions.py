"""Actions: awaited on an event loop, beside the engine; data only through other functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from headwater.core import values
from headwater.core.calls import Call, Calls, Outcome
from headwater.core.database import Database
from headwater.core.failures import Failure, failure_of
from headwater.core.logs import CallLog
from headwater.core.manifest import FunctionSpec
from headwater.core.transaction import Transaction
from headwater.core.work import Transact, settle
from headwater.errors import AppError, HeadwaterError, TimeLimitExceeded

T = TypeVar("T")

Submit = Callable[[Call, Callable[[Outcome, int], None]], None]
"""Puts a query or mutation into the engine's queue; the reply comes on the event loop's thread."""


class ActionPlacement(Protocol):
    """Where action handlers run."""

    async def run_action(
        self,
        spec: FunctionSpec,
        arguments: dict[str, Any],
        identity: dict[str, Any] | None,
        runner: Any,
        log: CallLog,
        database: Database,
    ) -> Any:
        """Awaits an action and gives its result as a value."""


@dataclass
class ActionHost:
    """Runs actions, a bounded number at once."""

    database: Database
    calls: Calls
    submit: Submit
    put: Callable[[Transact], None]
    running: int = 0

    async def run(self, call: Call) -> Outcome:
        """One action, from its check to its end; at most once, never retried."""
        log = CallLog(self.database.limits)
        outcome = Outcome(log_lines=log.lines)
        try:
            spec = self.calls.spec(call)
            arguments = self.calls.checked(spec, call.arguments)
            outcome.value = self.calls.encoded(
                spec, await self._bounded(spec, arguments, call, log)
            )
        except asyncio.CancelledError:
            raise
        except Exception as error:
            outcome.failure = failure_of(error, self.calls.root)
        outcome.log_lines = log.lines
        return outcome

    async def transact(self, step: Callable[[Transaction], T]) -> T:
        """A step of the runtime itself in a transaction of its own.

        Raises:
            StorageFailure: it was not kept.
            Exception: what the step raised.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def reply(value: Any, error: BaseException | None) -> None:
            loop.call_soon_threadsafe(settle, future, value, error)

        self.put(Transact(step, reply))
        return await future

    async def _bounded(
        self, spec: FunctionSpec, arguments: dict[str, Any], call: Call, log: CallLog
    ) -> Any:
        limits = self.database.limits
        if self.running >= limits.actions_at_once:
            raise HeadwaterError(f"{limits.actions_at_once} actions are running; try again later")
        self.running += 1
        try:
            async with asyncio.timeout(limits.action_limit_s) as timer:
                placement = cast("ActionPlacement", self.calls.placement)  # the newest load's
                return await placement.run_action(
                    spec, arguments, call.identity, _Runner(self, call.identity), log, self.database
                )
        except TimeoutError:
            if timer.expired():
                raise TimeLimitExceeded(f"action {spec.path}", limits.action_limit_s, "") from None
            raise
        finally:
            self.running -= 1


@dataclass
class _Runner:
    """The calls an action makes, in its caller's name."""

    host: ActionHost
    identity: dict[str, Any] | None

    async def run(self, function: Any, arguments: dict[str, Any]) -> Any:
        """Another function of the backend, to its end."""
        call = Call(function.path, function.kind, arguments, self.identity, internal=True)
        outcome = await (self.host.run(call) if call.kind == "action" else self._execute(call))
        if outcome.failure is not None:
            raise _raised(outcome.failure)
        return function.read.returns.load(values.decode(outcome.value or b"null"))

    async def _execute(self, call: Call) -> Outcome:
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def reply(outcome: Outcome, _ts: int) -> None:
            if not future.done():
                future.set_result(outcome)

        self.host.submit(call, reply)
        return await future


def _raised(failure: Failure) -> HeadwaterError:
    """The failure of a called function, as an error in the action."""
    if failure.data is not None:
        return AppError(values.decode(failure.data))
    return HeadwaterError(failure.message.removeprefix("Uncaught ").split("\n    at ")[0])
