"""Testing a backend: the real engine on SQLite in memory, a clock moved by hand, no server."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, overload
from weakref import finalize

from headwater.clock import VirtualClock
from headwater.core import values
from headwater.core.calls import Call, Frame, Outcome
from headwater.core.codecs import lower
from headwater.core.context import MutationCtx
from headwater.core.context_storage import Blob
from headwater.core.counters import EngineCounters
from headwater.core.failures import Failure
from headwater.core.functions import ActionFn, MutationFn, QueryFn, Registered
from headwater.core.identity import identity_of
from headwater.core.logs import CallLog, install_log_handler
from headwater.core.manifest import ANY, FunctionKind, FunctionSpec, Manifest, canonical_path
from headwater.core.names import wire_name
from headwater.core.placement import InProcess
from headwater.core.transaction import Counters, Transaction
from headwater.errors import AppError, Conflict, HeadwaterError, Overloaded, StorageFailure
from headwater.loader import load
from headwater.rules import Finding
from headwater.runtime import Followed, Runtime, spares_of
from headwater.settings import DEV_ISSUER, GUARDED, Limits
from headwater.testing_faults import Fault, failing
from headwater.variables import Put

if TYPE_CHECKING:
    import httpx

P = ParamSpec("P")
R = TypeVar("R")


class FunctionFailed(HeadwaterError):
    """A function called by a test that raised; the text is what a client would get.

    Attributes:
        finding: the rule it broke, as a `headwater.rules.Finding`; None for other failures.
    """

    finding: Finding | None = None


class Caller:
    """Somebody who calls functions: nobody in particular, or a signed-in person."""

    def __init__(self, host: Runtime, identity: dict[str, Any] | None) -> None:
        self._host = host
        self._identity = identity

    @overload
    def query(self, function: QueryFn[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def query(self, function: str, arguments: dict[str, Any] | None = None, /) -> Any: ...
    def query(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Runs a query. By reference: Python arguments and result. By wire path: wire values.

        Raises:
            AppError: the function raised it, or a function it ran.
            FunctionFailed: it raised anything else, or its arguments do not fit.
        """
        return self._call("query", function, args, kwargs)

    @overload
    def mutation(self, function: MutationFn[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def mutation(self, function: str, arguments: dict[str, Any] | None = None, /) -> Any: ...
    def mutation(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Runs a mutation and commits it; arguments, result and errors as for `query`."""
        return self._call("mutation", function, args, kwargs)

    @overload
    def action(self, function: ActionFn[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def action(self, function: str, arguments: dict[str, Any] | None = None, /) -> Any: ...
    def action(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Runs an action to its end; arguments, result and errors as for `query`."""
        return self._call("action", function, args, kwargs)

    def http(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Sends a request to the routes of `backend/routes.py`, and gives the answer.

        Args:
            method: such as `POST`.
            path: such as `/hooks/payments`.
            options: as httpx has them: `json=`, `content=`, `headers=`, `params=`.
        """
        from headwater.testing_routes import answer_to

        asked = answer_to(self._host.actions, self._identity, method, path, options)
        self._host.last, answer = asked
        return answer

    def _call(
        self, kind: FunctionKind, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        call, load_result = self._prepared(kind, function, args, kwargs)
        outcome = self._host.run(call)
        if outcome.failure is not None:
            raise _raised(outcome.failure)
        return load_result(values.decode(outcome.value or b"null"))

    def _prepared(
        self, kind: FunctionKind, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Call, Callable[[Any], Any]]:
        if isinstance(function, Registered):
            fields = lower(function.read.wire_arguments(args, kwargs))
            restore = function.read.returns.load
            return Call(function.path, kind, fields, self._identity, internal=True), restore
        given = args[0] if args else {wire_name(name): value for name, value in kwargs.items()}
        call = Call(canonical_path(function), kind, lower(given), self._identity)
        return call, lambda value: value

    def subscribe(self, function: Any, /, *args: Any, **kwargs: Any) -> Subscribed:
        """Follows a query as a connected client would; see `Subscribed`."""
        call, load_result = self._prepared("query", function, args, kwargs)
        return Subscribed(self._host, call, load_result)


class Backend(Caller):
    """A backend under test, with an empty database of its own.

    Args:
        placement: where its handlers run.
        clock: its time and chance; a VirtualClock by default.
        limits: its limits.
    """

    def __init__(
        self,
        placement: Any,
        *,
        clock: VirtualClock | None = None,
        limits: Limits | None = None,
    ) -> None:
        install_log_handler()
        self.clock = clock or VirtualClock()
        host = Runtime(placement, self.clock, limits or Limits(), spares_of(placement))
        super().__init__(host, None)
        self._environment = Put()
        finalize(self, self._environment.undo)

    @classmethod
    def load(cls, root: Path, *, clock: VirtualClock | None = None) -> Self:
        """A fresh backend of the project in a folder."""
        limits = Limits()
        placement = InProcess(load(root, limits.load_limit_s), limits, GUARDED)
        return cls(placement, clock=clock, limits=limits)

    def with_identity(self, *, subject: str, issuer: str = DEV_ISSUER, **claims: Any) -> Caller:
        """The same backend, called by a signed-in person.

        Args:
            subject: who; in `ctx.auth` the identity's `subject`.
            issuer: who vouches for it.
            claims: further claims such as `name` and `email`.
        """
        wires = {wire_name(name): value for name, value in claims.items()}
        return Caller(self._host, identity_of(subject, issuer, **wires))

    def upload(self, url: str, content: bytes, *, content_type: str | None = None) -> str:
        """Sends a file to an upload URL, as a page would; gives its storage id.

        Raises:
            InvalidUploadToken: the URL has expired, or is none of this backend.
            FileInvalid: the file is too large, or its content type is none.
        """
        return self._host.upload(url, content, content_type)

    def download(self, url: str) -> Blob | None:
        """What a URL from `ctx.storage.get_url()` gives, None when the file is gone."""
        return self._host.download(url)

    def advance(
        self,
        *,
        ms: float = 0,
        seconds: float = 0,
        minutes: float = 0,
        hours: float = 0,
        days: float = 0,
    ) -> None:
        """Moves the backend's clock forward and runs what is due on the way: scheduled calls and
        crons, each at its own time. `advance()` runs what is due now.

        Raises:
            RuntimeError: a call schedules itself again and again without a delay.
        """
        total = ms + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)))
        if total < 0:
            raise ValueError(f"time does not go back: advance({total:g} ms)")
        self._host.advance(total)

    def finish_scheduled(self) -> None:
        """Runs every scheduled call, and those they schedule, moving the clock to each.

        Raises:
            RuntimeError: they never end; use `advance` for calls that schedule themselves again.
        """
        self._host.finish_scheduled()

    def run(self, step: Callable[[MutationCtx], Coroutine[Any, Any, R]]) -> R:
        """Runs a step in a transaction of its own, as a mutation of nobody's: to put in place what
        a test begins with, and to look at what it left.

        Args:
            step: `async def step(ctx: MutationCtx)`; what it returns is given back.

        Raises:
            Exception: what the step raised; nothing it wrote is kept.
        """
        database, calls = self._host.engine.database, self._host.engine.calls
        placement = calls.placement
        if not isinstance(placement, InProcess):
            raise TypeError("run() needs a backend whose handlers are in this process")
        spec = FunctionSpec("test:run", "mutation", "internal", ANY, ANY)
        log = CallLog(database.limits)

        def driven(transaction: Transaction) -> R:
            frame = Frame(spec, {}, transaction.now_ms, database.clock.seed(), log)
            return placement.drive(frame, step, {}, calls.answerer(frame, transaction))

        return self._host.transact(driven)

    @property
    def manifest(self) -> Manifest:
        """Its tables and functions as plain data."""
        return self._host.engine.database.manifest

    @property
    def stats(self) -> Counters:
        """What the last call read and wrote."""
        return self._host.last.counters

    @property
    def log_lines(self) -> list[str]:
        """What the last call printed."""
        return self._host.last.log_lines

    @property
    def last_call(self) -> Outcome:
        """Everything about the last call: its read set, its writes, whether the handler was
        entered.
        """
        return self._host.last

    @property
    def engine_stats(self) -> EngineCounters:
        """What the engine did since the backend was made."""
        return self._host.engine.counters

    def set_env(self, **variables: str | None) -> None:
        """Sets variables of the environment until the test ends: `ctx.env(Settings)` reads them.

        Args:
            variables: each by its name; None takes one away.
        """
        self._environment.put(variables)

    def failing(
        self, error: Conflict | Overloaded | StorageFailure, *, times: int | None = None
    ) -> AbstractContextManager[Fault]:
        """Lets mutations fail as the engine itself makes them fail, as long as a `with` lasts.

        Args:
            error: `Conflict()` after each run of a mutation, which is then tried again;
                `Overloaded()` the same; `StorageFailure("the disk is full")` when what it wrote
                is to be kept, and nothing is.
            times: how often it happens, None for each time.

        Raises:
            TypeError: another error; raise those in the function.
        """
        return failing(self.clock, Fault(error, times))

    def close(self) -> None:
        """Lets the database go, and leaves the environment as it was."""
        self._environment.undo()
        self._host.close()


class Subscribed(Followed):
    """A query followed by a test.

    Attributes:
        updates: every pushed result, oldest first.
    """

    @property
    def value(self) -> Any:
        """The newest result.

        Raises:
            FunctionFailed, AppError: the query's newest run raised.
        """
        if self.failure is not None:
            raise _raised(self.failure)
        return self.updates[-1]


def _raised(failure: Failure) -> HeadwaterError:
    if failure.data is not None:
        return AppError(values.decode(failure.data))
    failed = FunctionFailed(failure.message)
    failed.finding = failure.finding
    return failed
