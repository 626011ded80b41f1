"""The catalog: which number stands for which table and index in this database's keys and ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from headwater.core import ids
from headwater.core.manifest import BY_CREATION_TIME, TableSpec
from headwater.core.storage import Storage

_RECORD = "catalog"


@dataclass
class CatalogTable:
    """One table of the database: its number, its indexes, the shape its documents were checked
    for.
    """

    number: int
    indexes: dict[str, CatalogIndex] = field(default_factory=dict)
    shape: str = ""


@dataclass(frozen=True)
class CatalogIndex:
    """One index of the database, filled for every document of its table."""

    number: int
    fields: tuple[str, ...]


class Catalog:
    """Tables and indexes of one database. Numbers are never used twice.

    Attributes:
        changed: there is something `save` has to write.
        generation: rises when a table gets or loses an index: keys made before are out of date.
    """

    def __init__(self, body: bytes | None = None) -> None:
        data: Any = json.loads(body) if body else {"next": 1, "tables": {}}
        self._next: int = data["next"]
        self.tables = {name: _read(table) for name, table in data["tables"].items()}
        self._names = {table.number: name for name, table in self.tables.items()}
        self._table_of: dict[str, str | None] = {}
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
        copied.changed, copied.generation = self.changed, self.generation + 1
        return copied

    @classmethod
    def load(cls, storage: Storage) -> Catalog:
        """The catalog a storage holds; an empty one for a new storage."""
        return cls(storage.record(_RECORD))

    def save(self, storage: Storage) -> None:
        """Writes the catalog inside the storage's transaction."""
        storage.put_record(_RECORD, self._body())
        self.changed = False

    def _body(self) -> bytes:
        tables = {
            name: {
                "number": table.number,
                "shape": table.shape,
                "indexes": {n: [i.number, *i.fields] for n, i in table.indexes.items()},
            }
            for name, table in self.tables.items()
        }
        return json.dumps({"next": self._next, "tables": tables}).encode()

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
            table = CatalogTable(self._number())
            table.indexes[BY_CREATION_TIME.name] = CatalogIndex(self._number(), ())
            self.tables[name] = table
            self._names[table.number] = name
            self.changed = True
        return table

    def add_index(self, table: str, name: str, fields: tuple[str, ...]) -> CatalogIndex:
        """A new index under a number of its own; the caller fills it."""
        index = CatalogIndex(self._number(), fields)
        self.table(table).indexes[name] = index
        self.generation += 1
        self.changed = True
        return index

    def drop_index(self, table: str, name: str) -> None:
        """Forgets an index; the caller has removed its entries."""
        del self.tables[table].indexes[name]
        self.generation += 1
        self.changed = True

    def stale_indexes(self, table: TableSpec) -> Iterator[str]:
        """Names of a table's indexes that its new spec no longer has, or has with other fields."""
        wanted = {index.name: index.fields for index in table.indexes}
        wanted[BY_CREATION_TIME.name] = ()
        for name, index in self.table(table.name).indexes.items():
            if wanted.get(name) != index.fields:
                yield name

    def _number(self) -> int:
        number = self._next
        self._next += 1
        self.changed = True
        return number


def _read(data: dict[str, Any]) -> CatalogTable:
    indexes = {
        n: CatalogIndex(number, tuple(rest)) for n, (number, *rest) in data["indexes"].items()
    }
    return CatalogTable(data["number"], indexes, data["shape"])
