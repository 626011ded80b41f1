"""Actions: awaited on an event loop, beside the engine; data only through other functions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

from headwater.core import values
from headwater.core.calls import Call, Calls, Outcome, check_depth
from headwater.core.database import Database
from headwater.core.failures import Failure, failure_of
from headwater.core.files import FileStore
from headwater.core.logs import CallLog
from headwater.core.manifest import FunctionSpec
from headwater.core.spending import note_mutation
from headwater.core.transaction import Transaction
from headwater.core.work import Transact, settle
from headwater.errors import (
    AppError,
    Conflict,
    HeadwaterError,
    Overloaded,
    RuleViolation,
    TimeLimitExceeded,
)

T = TypeVar("T")

Submit = Callable[[Call, Callable[[Outcome, int], None]], None]
"""Puts a query or mutation into the engine's queue; the reply comes on the event loop's thread."""

_OF_RULES = ("RuleViolation", "AttributeError")
_BUSY: dict[str, type[HeadwaterError]] = {"Conflict": Conflict, "Overloaded": Overloaded}


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
    """Runs actions, a bounded number at once.

    Attributes:
        running: how many run now; an action and those it runs itself are one.
        on_call: told of every finished action, on the event loop's thread.
    """

    database: Database
    calls: Calls
    submit: Submit
    put: Callable[[Transact], None]
    running: int = 0
    on_call: Callable[[Call, Outcome], None] = field(default=lambda _call, _outcome: None)

    async def run(self, call: Call, depth: int = 0) -> Outcome:
        """One action, from its check to its end; at most once, never retried.

        Args:
            call: what to run.
            depth: how many actions it is run inside of.
        """
        log, now = CallLog(self.database.limits), self.database.clock.monotonic
        outcome, began = Outcome(log_lines=log.lines), now()
        try:
            spec = self.calls.spec(call)
            check_depth(spec.path, depth, self.database.limits)
            arguments = self.calls.checked(spec, call.arguments)
            placement = cast("ActionPlacement", self.calls.placement)  # the newest load's
            runner = _Runner(self, call, depth)
            async with self.bounded(f"action {spec.path}", counted=depth == 0):
                outcome.entered = True
                result = await placement.run_action(
                    spec, arguments, call.identity, runner, log, self.database
                )
            outcome.value = self.calls.encoded(spec, result)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            failure = failure_of(error, self.calls.root, call.path, "action")
            outcome.fail(failure, self.database.clock)
        outcome.log_lines, outcome.took_s = log.lines, now() - began
        self.on_call(call, outcome)
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

    @asynccontextmanager
    async def bounded(self, what: str, *, counted: bool = True) -> AsyncIterator[None]:
        """A block of user code on the event loop: one of a limited number, for a limited time.

        Raises:
            HeadwaterError: there are as many as may be.
            TimeLimitExceeded: it took too long.
        """
        limits = self.database.limits
        if counted and self.running >= limits.actions_at_once:
            raise HeadwaterError(f"{limits.actions_at_once} actions are running; try again later")
        self.running += counted
        try:
            async with asyncio.timeout(limits.action_limit_s) as timer:
                yield
        except TimeoutError:
            if timer.expired():
                raise TimeLimitExceeded(what, limits.action_limit_s, "") from None
            raise
        finally:
            self.running -= counted

    def runner(self, identity: dict[str, Any] | None) -> _Runner:
        """What code beside the functions calls them through, in a caller's name."""
        return _Runner(self, Call("", "action", {}, identity), 0)


@dataclass
class _Runner:
    """The calls an action makes, in its caller's name."""

    host: ActionHost
    call: Call
    depth: int

    @property
    def files(self) -> FileStore:
        """Where the bytes of files are."""
        return self.host.database.files

    async def transact(self, step: Callable[[Transaction], Any]) -> Any:
        """A step of the runtime itself in a transaction of its own."""
        return await self.host.transact(step)

    async def run(self, function: Any, arguments: dict[str, Any]) -> Any:
        """Another function of the backend, to its end."""
        identity, job = self.call.identity, self.call.job
        call = Call(function.path, function.kind, arguments, identity, internal=True, job=job)
        if call.kind == "mutation":
            note_mutation()
        if call.kind == "action":
            outcome = await self.host.run(call, self.depth + 1)
        else:
            outcome = await self._execute(call)
        if outcome.failure is not None:
            raise _raised(outcome.failure)
        return function.read.returns.load(values.decode(outcome.value or b"null"))

    async def ask(self, request: Any, then: Callable[[Any], Any] | None = None, /) -> Any:
        """A request of the action's scheduler."""

        def step(transaction: Transaction) -> Any:
            transaction.job = self.call.job
            return self.host.calls.schedule(request, transaction)

        answer = await self.host.transact(step)
        return answer if then is None else then(answer)

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
    if failure.finding is not None and failure.tag in _OF_RULES:
        return RuleViolation(failure.finding)
    text = failure.message.removeprefix("Uncaught ").split("\n    at ")[0]
    if failure.overloaded in _BUSY:
        return _BUSY[failure.overloaded](text.removeprefix("Error: "))
    return HeadwaterError(text)
