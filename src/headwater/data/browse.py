"""A look at tables: which there are, how many documents, and some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from headwater.core.database import Database
from headwater.core.keys import index_prefix, successor
from headwater.core.manifest import BY_CREATION_TIME
from headwater.core.migration import count
from headwater.data.exporting import line_of

_COUNTED: Final = 1_000_000
MOST: Final = 1_000
"""Documents of one look, at most."""


@dataclass(frozen=True)
class TableLook:
    """One table.

    Attributes:
        documents: how many it has, counted up to a million.
        declared: a class of the backend describes it.
        indexes: the names of its indexes.
    """

    name: str
    documents: int
    declared: bool
    indexes: list[str]


def tables(database: Database) -> list[TableLook]:
    """All tables, the runtime's own last."""
    found = [
        TableLook(
            name,
            count(database, name, _COUNTED),
            name in database.manifest.tables,
            [n for n in table.indexes if not n.startswith("+")],
        )
        for name, table in database.catalog.tables.items()
    ]
    return sorted(found, key=lambda look: (look.name.startswith("_"), look.name))


def documents(database: Database, table: str, limit: int, *, newest: bool) -> list[bytes] | None:
    """Some documents of a table as lines of JSON; None when there is no such table."""
    entry = database.catalog.tables.get(table)
    if entry is None:
        return None
    prefix = index_prefix(entry.indexes[BY_CREATION_TIME.name].number)
    wanted = min(limit, MOST)
    entries = database.storage.scan(prefix, successor(prefix), newest, wanted)
    bodies = (database.storage.document(document_id) for _, document_id in entries)
    return [line_of(body) for body in bodies if body is not None]


def columns(rows: list[dict[str, Any]]) -> list[str]:
    """The fields of some documents, ids first and times last."""
    names = dict.fromkeys(name for row in rows for name in row)
    own = [name for name in names if not name.startswith("_")]
    return ["_id", *own, "_creationTime"] if rows else []
