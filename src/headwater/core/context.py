"""The `ctx` each kind of function gets. What is forbidden to a kind is simply not there."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, overload

from headwater.core import requests
from headwater.core.codecs import lower, lower_model
from headwater.core.documents import Stored
from headwater.core.driver import Run
from headwater.core.identity import UserIdentity
from headwater.core.names import wire_name
from headwater.core.query import Query
from headwater.core.schema import Document, Id
from headwater.core.tables import Tables
from headwater.core.values import UNSET
from headwater.errors import DocumentInvalid, InvalidStorageId, NotAuthenticated

if TYPE_CHECKING:
    from headwater.core.functions import ActionFn, MutationFn, QueryFn, Registered

D = TypeVar("D", bound=Document)
T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


class DatabaseReader:
    """Reads of one transaction's snapshot, and of its own writes."""

    def __init__(self, run: Run, tables: Tables) -> None:
        self._run = run
        self._tables = tables

    @overload
    def get(self, document_id: Id[D], /) -> Coroutine[Any, Any, D | None]: ...
    @overload
    def get(self, table: type[D], document_id: str, /) -> Coroutine[Any, Any, D | None]: ...
    @overload
    def get(
        self, table: str, document_id: str, /
    ) -> Coroutine[Any, Any, dict[str, Any] | None]: ...
    def get(self, table: Any, document_id: Any = None, /) -> Coroutine[Any, Any, Any]:
        """A document by id, None when it does not exist.

        Args:
            table: the id alone, or a class or table name before it: then the id must be of that
                table, and a name gives dicts with wire names.

        Raises:
            InvalidStorageId: the text is no id, or of another table.
        """
        if document_id is None:
            return self._run.ask(requests.Get(_id(table)), self._maybe)
        if isinstance(table, str):
            return self._run.ask(requests.Get(_id(document_id), table), _maybe_dict)
        name = self._tables.of(table).cls.table_name
        return self._run.ask(requests.Get(_id(document_id), name), self._maybe)

    def _maybe(self, stored: Any) -> Any:
        return None if stored is None else self._tables.load(stored)

    @overload
    def query(self, table: type[D], /) -> Query[D]: ...
    @overload
    def query(self, table: str, /) -> Query[dict[str, Any]]: ...
    def query(self, table: Any, /) -> Query[Any]:
        """A query of a table: its class gives documents, its name gives dicts with wire names."""
        if isinstance(table, str):
            return Query(self._run, table, _as_dict)
        found = self._tables.of(table)
        return Query(self._run, found.cls.table_name, found.model, found.optional)

    def normalize_id(self, table: str, text: str, /) -> Id[Any] | None:
        """The text as an id of the table, None when it is no such id."""
        return Id(text) if self._tables.table_of(text) == table else None


class DatabaseWriter(DatabaseReader):
    """Reads and writes of one mutation; all of it happens, or nothing."""

    @overload
    def insert(self, document: D, /) -> Coroutine[Any, Any, Id[D]]: ...
    @overload
    def insert(self, table: str, document: dict[str, Any], /) -> Coroutine[Any, Any, Id[Any]]: ...
    def insert(self, table: Any, document: Any = None, /) -> Coroutine[Any, Any, Any]:
        """Adds a document and gives its id.

        Raises:
            DocumentInvalid: a field that does not fit the table.
        """
        name, fields = self._fields(table, document)
        return self._run.ask(requests.Insert(name, fields), Id)

    def patch(
        self, document_id: Id[Any], changes: dict[str, Any] | None = None, /, **fields: Any
    ) -> Coroutine[Any, Any, None]:
        """Changes some fields: `patch(id, completed=True)`; None or UNSET removes an optional one.

        Raises:
            DocumentMissing: there is no such document.
            DocumentInvalid: a field the table has not, or that does not fit.
        """
        named = {wire_name(name): value for name, value in fields.items()}
        given = {**(changes or {}), **named}
        removed = [name for name, value in given.items() if value is UNSET]
        kept = {name: lower(value) for name, value in given.items() if value is not UNSET}
        return self._run.ask(requests.Patch(_id(document_id), kept, removed))

    def replace(
        self, document_id: Id[D], document: D | dict[str, Any], /
    ) -> Coroutine[Any, Any, None]:
        """Writes all fields anew; fields not given become absent."""
        table, fields = (
            self._fields(document, None) if isinstance(document, Document) else (None, None)
        )
        new = fields if fields is not None else lower(document)
        return self._run.ask(requests.Replace(_id(document_id), new, table))

    def delete(self, document_id: Id[Any], /) -> Coroutine[Any, Any, None]:
        """Removes a document.

        Raises:
            DocumentMissing: there is no such document.
        """
        return self._run.ask(requests.Delete(_id(document_id)))

    def _fields(self, table: Any, document: Any) -> tuple[str, dict[str, Any]]:
        if isinstance(table, str):
            if not isinstance(document, dict):
                raise DocumentInvalid(f'insert("{table}", ...) takes a dict of fields')
            return table, lower(document)
        if not isinstance(table, Document):
            raise DocumentInvalid(
                f"insert() takes a document such as Task(...), not {type(table).__name__}"
            )
        name = self._tables.of(type(table)).cls.table_name
        fields = lower(lower_model(table))
        return name, {k: v for k, v in fields.items() if k not in ("_id", "_creationTime")}


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


class QueryCtx:
    """What a query gets: `db` to read, `auth`, `run_query`."""

    db: DatabaseReader

    def __init__(self, run: Run, tables: Tables) -> None:
        self._run = run
        self.db = DatabaseReader(run, tables)
        self.auth = Auth(self._identity)

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


class Runner(Protocol):
    """What an action reaches the rest of the backend through."""

    def run(self, function: Any, arguments: dict[str, Any]) -> Awaitable[Any]:
        """Runs a function by reference and gives its restored result."""
        ...


class ActionCtx:
    """What an action gets: the outside world, and data only by running queries and mutations."""

    def __init__(self, runner: Runner, identity: Any, now: Callable[[], float], seed: int) -> None:
        self._runner = runner
        self._identity = identity
        self._now = now
        self.random = random.Random(seed)
        self.auth = Auth(self._get_identity)

    @property
    def now(self) -> float:
        """ms since 1970; moves on while the action runs."""
        return self._now()

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


def _id(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidStorageId(
            f"expected a document id, got {type(value).__name__}"
            + (": was this document inserted?" if value is None else "")
        )
    return value


def _as_dict(stored: Stored) -> dict[str, Any]:
    return stored.own_value()


def _maybe_dict(stored: Any) -> dict[str, Any] | None:
    return None if stored is None else _as_dict(stored)
