"""The catalog: which number stands for which table and index in this database's keys and ids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from headwater.core import ids
from headwater.core.keys import entry_key, index_prefix, search_prefix
from headwater.core.manifest import BY_CREATION_TIME, SEARCHED, TableSpec
from headwater.core.search import posting_keys
from headwater.core.storage import Storage

OWN_NUMBERS = 2**21
"""Above it are the numbers of the runtime's own tables, below it those of the app's."""
_RECORD = "catalog"
_COMING = "+"
"""Before the name of an index that is made for a backend which does not serve yet: the old one may
have another index of that name."""


def coming(name: str) -> str:
    """Where the catalog keeps the index that is to follow the one of this name."""
    return _COMING + name


def is_coming(name: str) -> bool:
    """True for the place of an index that is to come."""
    return name.startswith(_COMING)


@dataclass
class CatalogTable:
    """One table of the database: its number, its indexes, the shape its documents were checked
    for.
    """

    number: int
    indexes: dict[str, CatalogIndex] = field(default_factory=dict)
    shape: str = ""

    def entry_keys(self, document: dict[str, Any]) -> frozenset[bytes]:
        """All keys a document of this table has in its indexes."""
        return frozenset(key for index in self.indexes.values() for key in index.keys(document))


@dataclass(frozen=True)
class CatalogIndex:
    """One index of the database.

    Attributes:
        filled_to: None when every document of its table is in it; else the key of by_creation_time
            up to which they are. What is written meanwhile goes into it wherever it stands.
        is_search: its first field says whose words it holds, the others filter.
    """

    number: int
    fields: tuple[str, ...]
    filled_to: bytes | None = None
    is_search: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        is_search = bool(self.fields) and self.fields[0].startswith(SEARCHED)
        object.__setattr__(self, "is_search", is_search)

    @property
    def prefix(self) -> bytes:
        """What all its keys begin with."""
        return search_prefix(self.number) if self.is_search else index_prefix(self.number)

    def keys(self, document: dict[str, Any]) -> Iterable[bytes]:
        """All keys of a document in this index."""
        if not self.is_search:
            return (entry_key(self.number, self.fields, document),)
        field = self.fields[0].removeprefix(SEARCHED)
        return posting_keys(self.number, field, self.fields[1:], document)


class Catalog:
    """Tables and indexes of one database. Numbers are never used twice.

    Attributes:
        changed: there is something `save` has to write.
        generation: rises when a table gets or loses an index: keys made before are out of date.
        garbage: numbers of indexes that are gone, whose entries are still to be removed.
    """

    def __init__(self, body: bytes | None = None) -> None:
        data: Any = json.loads(body) if body else {"next": 1, "tables": {}}
        self._next: int = data["next"]
        self.tables = {name: _read(table) for name, table in data["tables"].items()}
        self._names = {table.number: name for name, table in self.tables.items()}
        self._table_of: dict[str, str | None] = {}
        self.garbage: list[int] = list(data.get("garbage", ()))
        self.changed = False
        self.generation = 0

    def copy(self) -> Catalog:
        """The catalog as it is now, to go back to."""
        copied = Catalog()
        copied._next = self._next
        copied.tables = {
            name: CatalogTable(table.number, dict(table.indexes), table.shape)
            for name, table in self.tables.items()
        }
        copied._names = dict(self._names)
        copied.garbage = list(self.garbage)
        copied.changed, copied.generation = self.changed, self.generation + 1
        return copied

    @classmethod
    def load(cls, storage: Storage) -> Catalog:
        """The catalog a storage holds; an empty one for a new storage."""
        return cls(storage.record(_RECORD))

    def save(self, storage: Storage) -> None:
        """Writes the catalog inside the storage's transaction."""
        storage.put_record(_RECORD, self.body())
        self.changed = False

    def become(self, other: Catalog) -> None:
        """Takes over what another catalog holds, such as a copy made before or worked out aside."""
        self._next, self.tables, self._names = other._next, other.tables, other._names
        self.garbage = other.garbage
        self._table_of.clear()
        self.generation += 1
        self.changed = True

    def body(self) -> bytes:
        """The catalog as it is saved; equal for equal catalogs."""
        tables = {name: _written(table) for name, table in self.tables.items()}
        garbage = {"garbage": self.garbage} if self.garbage else {}
        return json.dumps({"next": self._next, "tables": tables, **garbage}).encode()

    def table_of(self, document_id: str) -> str | None:
        """The name of the table an id belongs to, None when the text is no id of this database."""
        found = self._table_of.get(document_id)
        if found is None:
            number = ids.table_of(document_id)
            if number is None:
                return None  # and not kept: it may be any text, of any length
            found = self._names.get(number)
            if len(self._table_of) > 50_000:
                self._table_of.clear()
            self._table_of[document_id] = found
        return found

    def note_id(self, document_id: str, table: str) -> None:
        """Spares the next `table_of` of a new id."""
        self._table_of[document_id] = table

    def table(self, name: str) -> CatalogTable:
        """The table of this name, made when it is missing."""
        table = self.tables.get(name)
        if table is None:
            table = CatalogTable(self._own_number() if name.startswith("_") else self._number())
            table.indexes[BY_CREATION_TIME.name] = CatalogIndex(self._number(), ())
            self.tables[name] = table
            self._names[table.number] = name
            self.changed = True
        return table

    def renumber(self, table: str, number: int) -> None:
        """Gives a table without documents another number, for ids made elsewhere.

        Raises:
            ValueError: the number is another table's.
        """
        if self._names.get(number, table) != table:
            raise ValueError(f"{number} is the number of table {self._names[number]}")
        entry = self.table(table)
        del self._names[entry.number]
        entry.number = number
        self._names[number] = table
        self._table_of.clear()
        self.changed = True

    def move_away(self, table: str) -> None:
        """Gives a table without documents a fresh number, because another needs its own."""
        self.renumber(table, self._number())

    def name_of(self, number: int) -> str | None:
        """The table of this number."""
        return self._names.get(number)

    def add_index(self, table: str, name: str, fields: tuple[str, ...]) -> CatalogIndex:
        """A new index under a number of its own; the caller fills it."""
        return self._keep(table, name, CatalogIndex(self._number(), fields))

    def add_coming(self, table: str, name: str, fields: tuple[str, ...]) -> None:
        """A new index that is still empty and not yet served; `settle` makes it the one in force.

        One that was begun already goes on where it stands.
        """
        begun = self.table(table).indexes.get(coming(name))
        if begun is not None and begun.fields != fields:
            self.discard_index(table, coming(name))
        if begun is None or begun.fields != fields:
            self._keep(table, coming(name), CatalogIndex(self._number(), fields, b""))

    def coming(self, table: str, name: str) -> CatalogIndex | None:
        """The index that is being made for this name."""
        return self.table(table).indexes.get(coming(name))

    def settle(self, table: str, name: str) -> None:
        """Puts the coming index of a name in force; the one it follows becomes garbage."""
        indexes = self.table(table).indexes
        if name in indexes:
            self.discard_index(table, name)
        self._keep(table, name, indexes.pop(coming(name)))

    def fill(self, table: str, name: str, to: bytes | None) -> None:
        """Notes how far an index is filled; None for all of it."""
        indexes = self.table(table).indexes
        indexes[name] = replace(indexes[name], filled_to=to)
        self.changed = True

    def unfilled(self) -> Iterator[tuple[str, str, CatalogIndex]]:
        """Indexes some documents are still missing from: table, name in the catalog, index."""
        for table, entry in self.tables.items():
            for name, index in entry.indexes.items():
                if index.filled_to is not None:
                    yield table, name, index

    def _keep(self, table: str, name: str, index: CatalogIndex) -> CatalogIndex:
        self.table(table).indexes[name] = index
        self.generation += 1
        self.changed = True
        return index

    def drop_index(self, table: str, name: str) -> None:
        """Forgets an index; the caller has removed its entries."""
        del self.tables[table].indexes[name]
        self.generation += 1
        self.changed = True

    def discard_index(self, table: str, name: str) -> None:
        """Forgets an index; its entries are garbage, to be removed bit by bit."""
        self.garbage.append(self.tables[table].indexes[name].number)
        self.drop_index(table, name)

    def stale_indexes(self, table: TableSpec) -> Iterator[str]:
        """Names of a table's indexes that its new spec no longer has, or has with other fields."""
        wanted = {index.name: index.fields for index in table.all_indexes}
        wanted |= {coming(name): fields for name, fields in wanted.items()}
        wanted[BY_CREATION_TIME.name] = ()
        for name, index in self.table(table.name).indexes.items():
            if wanted.get(name) != index.fields:
                yield name

    def _own_number(self) -> int:
        """For a table of the runtime: out of the way of tables whose ids were made elsewhere."""
        return max([OWN_NUMBERS, *(t.number for n, t in self.tables.items() if n[0] == "_")]) + 1

    def _number(self) -> int:
        while self._next in self._names:  # taken by a table whose ids were made elsewhere
            self._next += 1
        number = self._next
        self._next += 1
        self.changed = True
        return number


def _written(table: CatalogTable) -> dict[str, Any]:
    filling = {n: i.filled_to.hex() for n, i in table.indexes.items() if i.filled_to is not None}
    return {
        "number": table.number,
        "shape": table.shape,
        "indexes": {n: [i.number, *i.fields] for n, i in table.indexes.items()},
        **({"filling": filling} if filling else {}),
    }


def _read(data: dict[str, Any]) -> CatalogTable:
    filling = {name: bytes.fromhex(text) for name, text in data.get("filling", {}).items()}
    indexes = {
        n: CatalogIndex(number, tuple(rest), filling.get(n))
        for n, (number, *rest) in data["indexes"].items()
    }
    return CatalogTable(data["number"], indexes, data["shape"])
