"""`ctx.db`: the database as one call sees it, to read, to write, and the system tables."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar, overload

from headwater.core import requests
from headwater.core.absent import absent_from_db
from headwater.core.codecs import lower, lower_model
from headwater.core.documents import Stored
from headwater.core.driver import Run
from headwater.core.names import wire_name
from headwater.core.query import Query
from headwater.core.schema import Document, Id
from headwater.core.system import SYSTEM_TABLES
from headwater.core.tables import Tables
from headwater.core.values import UNSET
from headwater.errors import DocumentInvalid, InvalidStorageId
from headwater.rules import Finding

D = TypeVar("D", bound=Document)


class SystemReader:
    """The runtime's own tables, read only: `ScheduledFunction` and `StoredFile`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @overload
    def get(self, document_id: Id[D], /) -> Coroutine[Any, Any, D | None]: ...
    @overload
    def get(self, table: type[D], document_id: str, /) -> Coroutine[Any, Any, D | None]: ...
    @overload
    def get(
        self, table: str, document_id: str, /
    ) -> Coroutine[Any, Any, dict[str, Any] | None]: ...
    def get(self, table: Any, document_id: Any = None, /) -> Coroutine[Any, Any, Any]:
        """A document of a system table by id, None when it does not exist.

        Raises:
            InvalidStorageId: the text is no id, or of another table.
            SystemTableAccess: it is an id of a table of yours.
        """
        if document_id is None:
            return self._run.ask(requests.Get(_id(table), system=True), _maybe_system)
        if isinstance(table, str):
            return self._run.ask(requests.Get(_id(document_id), table, True), _maybe_dict)
        name = SYSTEM_TABLES.of(table).cls.table_name
        return self._run.ask(requests.Get(_id(document_id), name, True), _maybe_system)

    @overload
    def query(self, table: type[D], /) -> Query[D]: ...
    @overload
    def query(self, table: str, /) -> Query[dict[str, Any]]: ...
    def query(self, table: Any, /) -> Query[Any]:
        """A query of a system table: its class gives documents, its name dicts with wire names."""
        if isinstance(table, str):
            return Query(self._run, table, _as_dict, system=True)
        found = SYSTEM_TABLES.of(table)
        name = found.cls.table_name
        return Query(self._run, name, found.model, found.optional, system=True)


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

    def _absent_member(self, name: str) -> Finding | None:
        """What the rules say of a method that is not there."""
        return absent_from_db(name, writer=isinstance(self, DatabaseWriter))

    @property
    def system(self) -> SystemReader:
        """The runtime's own tables, read only."""
        return SystemReader(self._run)

    @overload
    def normalize_id(self, table: type[D], text: str, /) -> Id[D] | None: ...
    @overload
    def normalize_id(self, table: str, text: str, /) -> Id[Any] | None: ...
    def normalize_id(self, table: Any, text: str, /) -> Id[Any] | None:
        """The text as an id of the table, None when it is no such id; whether it exists or not."""
        name = table if isinstance(table, str) else self._tables.of(table).cls.table_name
        return Id(text) if self._tables.table_of(text) == name else None


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

    @overload
    def patch(
        self, document_id: Id[Any], changes: dict[str, Any] | None = None, /, **fields: Any
    ) -> Coroutine[Any, Any, None]: ...
    @overload
    def patch(
        self,
        table: type[Document] | str,
        document_id: str,
        changes: dict[str, Any] | None = None,
        /,
        **fields: Any,
    ) -> Coroutine[Any, Any, None]: ...
    def patch(
        self, place: Any, second: Any = None, third: Any = None, /, **fields: Any
    ) -> Coroutine[Any, Any, None]:
        """Changes some fields: `patch(id, completed=True)`; None or UNSET removes an optional one.

        Args:
            place: the id, or a class or table name.
            second: an id of that table, or a dict of changes under wire names.
            third: such a dict after a table and an id.
            fields: changes under Python names.

        Raises:
            DocumentMissing: there is no such document.
            DocumentInvalid: a field the table has not, or that does not fit.
        """
        named_place = third is not None or isinstance(second, str)
        whole = (place, second, third) if named_place else (place, second)
        table, document_id, changes = self._placed(whole)
        named = {wire_name(name): value for name, value in fields.items()}
        given = {**(changes or {}), **named}
        removed = [name for name, value in given.items() if value is UNSET]
        kept = {name: lower(value) for name, value in given.items() if value is not UNSET}
        return self._run.ask(requests.Patch(document_id, kept, removed, table))

    @overload
    def replace(
        self, document_id: Id[D], document: D | dict[str, Any], /
    ) -> Coroutine[Any, Any, None]: ...
    @overload
    def replace(
        self, table: type[D] | str, document_id: str, document: D | dict[str, Any], /
    ) -> Coroutine[Any, Any, None]: ...
    def replace(self, *place: Any) -> Coroutine[Any, Any, None]:
        """Writes all fields anew; fields not given become absent.

        Args:
            place: the id, or a class or table name and an id of that table, then the document.

        Raises:
            DocumentMissing: there is no such document.
            DocumentInvalid: a field the table has not, or that does not fit.
        """
        table, document_id, document = self._placed(place)
        if not isinstance(document, Document):
            return self._run.ask(requests.Replace(document_id, lower(document), table))
        own, fields = self._fields(document, None)
        if table is not None and table != own:
            raise DocumentInvalid(f"replace({table!r}, ...) was given a document of table {own}")
        return self._run.ask(requests.Replace(document_id, fields, own))

    @overload
    def delete(self, document_id: Id[Any], /) -> Coroutine[Any, Any, None]: ...
    @overload
    def delete(
        self, table: type[Document] | str, document_id: str, /
    ) -> Coroutine[Any, Any, None]: ...
    def delete(self, *place: Any) -> Coroutine[Any, Any, None]:
        """Removes a document: `delete(id)`, or with its class or table name before the id.

        Raises:
            DocumentMissing: there is no such document.
        """
        table, document_id, _ = self._placed((*place, None))
        return self._run.ask(requests.Delete(document_id, table))

    def _placed(self, place: tuple[Any, ...]) -> tuple[str | None, str, Any]:
        """The table, id and content that `(id, content)` and `(table, id, content)` name."""
        if len(place) == 2:
            return None, _id(place[0]), place[1]
        if len(place) != 3:
            raise TypeError("expected an id, or a table and an id, and what is to be written")
        table, document_id, content = place
        name = table if isinstance(table, str) else self._tables.of(table).cls.table_name
        return name, _id(document_id), content

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


def _id(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidStorageId(
            f"expected a document id, got {type(value).__name__}"
            + (": was this document inserted?" if value is None else "")
        )
    return value


def _as_dict(stored: Stored) -> dict[str, Any]:
    return stored.own_value()


def _maybe_system(stored: Any) -> Any:
    return None if stored is None else SYSTEM_TABLES.load(stored)


def _maybe_dict(stored: Any) -> dict[str, Any] | None:
    return None if stored is None else _as_dict(stored)
