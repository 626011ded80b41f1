"""The `ctx` each kind of function gets. What is forbidden to a kind is simply not there."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from headwater.core import requests
from headwater.core.absent import absent_from_ctx
from headwater.core.codecs import lower
from headwater.core.context_env import EnvCtx
from headwater.core.context_storage import ActionStorage, FilesRunner, StorageReader, StorageWriter
from headwater.core.db import DatabaseReader, DatabaseWriter
from headwater.core.driver import Run
from headwater.core.identity import UserIdentity
from headwater.core.scheduler import Scheduler
from headwater.core.tables import Tables
from headwater.errors import NotAuthenticated
from headwater.rules import Finding

if TYPE_CHECKING:
    from headwater.core.functions import ActionFn, MutationFn, QueryFn, Registered

P = ParamSpec("P")
R = TypeVar("R")


class Auth:
    """Who calls."""

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, UserIdentity | None]]) -> None:
        self._ask = ask

    def get_user_identity(self) -> Coroutine[Any, Any, UserIdentity | None]:
        """The caller's identity, None when nobody is signed in."""
        return self._ask()

    async def require_identity(self) -> UserIdentity:
        """The caller's identity.

        Raises:
            NotAuthenticated: nobody is signed in.
        """
        identity = await self._ask()
        if identity is None:
            raise NotAuthenticated
        return identity


class QueryCtx(EnvCtx):
    """What a query gets: `db` to read, `auth`, `env`, `storage`, `run_query`."""

    db: DatabaseReader

    def __init__(self, run: Run, tables: Tables) -> None:
        self._run = run
        self.db = DatabaseReader(run, tables)
        self.auth = Auth(self._identity)

    def _absent_member(self, name: str) -> Finding | None:
        """What the rules say of a member that is not there."""
        return absent_from_ctx("query", name)

    @property
    def storage(self) -> StorageReader:
        """The URLs of files, and what is known of them."""
        return StorageReader(self._run)

    def _identity(self) -> Coroutine[Any, Any, UserIdentity | None]:
        return self._run.ask(requests.Identity(), read_identity)

    def run_query(
        self, function: QueryFn[P, R], /, *args: P.args, **arguments: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Another query of this backend, in the same transaction."""
        return self._nested(function, args, arguments)

    def _nested(
        self, function: Registered[Any, Any], args: tuple[Any, ...], arguments: dict[str, Any]
    ) -> Coroutine[Any, Any, Any]:
        read = function.read
        fields = lower(read.wire_arguments(args, arguments))
        return self._run.ask(
            requests.RunFunction(function.path, function.kind, fields), read.returns.load
        )


class MutationCtx(QueryCtx):
    """What a mutation gets: `db` to read and write, `now`, `random`, and `run_mutation`.

    Attributes:
        now: ms since 1970, frozen for the call and the same when it is run again.
        random: seeded for the call.
    """

    db: DatabaseWriter

    def __init__(self, run: Run, tables: Tables, now: float, seed: int) -> None:
        super().__init__(run, tables)
        self.db = DatabaseWriter(run, tables)
        self.now = now
        self._seed = seed
        self._random: random.Random | None = None

    def _absent_member(self, name: str) -> Finding | None:
        return absent_from_ctx("mutation", name)

    @property
    def storage(self) -> StorageWriter:
        """Files: upload URLs, deletion, and what a query may ask."""
        return StorageWriter(self._run)

    @property
    def scheduler(self) -> Scheduler:
        """Schedules calls that run after this one has committed."""
        return Scheduler(self._run.ask, lambda: self.now)

    @property
    def random(self) -> random.Random:
        """Chance for this call, the same whenever it is run again."""
        if self._random is None:
            self._random = random.Random(self._seed)
        return self._random

    def run_mutation(
        self, function: MutationFn[P, R], /, *args: P.args, **arguments: P.kwargs
    ) -> Coroutine[Any, Any, R]:
        """Another mutation as a part of this one: if it raises, only its own writes are undone."""
        return self._nested(function, args, arguments)


class Runner(FilesRunner, Protocol):
    """What an action reaches the rest of the backend through."""

    def run(self, function: Any, arguments: dict[str, Any]) -> Awaitable[Any]:
        """Runs a function by reference and gives its restored result."""
        ...

    def ask(
        self, request: Any, then: Callable[[Any], Any] | None = None, /
    ) -> Coroutine[Any, Any, Any]:
        """Answers a request of the scheduler in a transaction of its own."""
        ...


class ActionCtx(EnvCtx):
    """What an action gets: the outside world, and data only by running queries and mutations."""

    def __init__(self, runner: Runner, identity: Any, now: Callable[[], float], seed: int) -> None:
        self._runner = runner
        self._identity = identity
        self._now = now
        self.random = random.Random(seed)
        self.auth = Auth(self._get_identity)
        self.storage = ActionStorage(runner)
        self.scheduler = Scheduler(runner.ask, now)

    @property
    def now(self) -> float:
        """ms since 1970; moves on while the action runs."""
        return self._now()

    def _absent_member(self, name: str) -> Finding | None:
        return absent_from_ctx("action", name)

    async def _get_identity(self) -> UserIdentity | None:
        return read_identity(self._identity)

    async def run_query(
        self, function: QueryFn[P, R], /, *args: P.args, **arguments: P.kwargs
    ) -> R:
        """A query at its own snapshot."""
        result: R = await self._run(function, args, arguments)
        return result

    async def run_mutation(
        self, function: MutationFn[P, R], /, *args: P.args, **arguments: P.kwargs
    ) -> R:
        """A mutation, committed when this returns."""
        result: R = await self._run(function, args, arguments)
        return result

    async def run_action(
        self, function: ActionFn[P, R], /, *args: P.args, **arguments: P.kwargs
    ) -> R:
        """Another action."""
        result: R = await self._run(function, args, arguments)
        return result

    async def _run(
        self, function: Registered[Any, Any], args: tuple[Any, ...], arguments: dict[str, Any]
    ) -> Any:
        fields = lower(function.read.wire_arguments(args, arguments))
        return await self._runner.run(function, fields)


def read_identity(data: Any) -> UserIdentity | None:
    """An identity from plain data."""
    return None if data is None else UserIdentity.model_validate(data)
