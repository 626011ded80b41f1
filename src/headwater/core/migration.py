"""A new manifest meets the stored documents: check them, fill new indexes, drop the ones gone.

Small tables are dealt with at once, in one transaction (`adopt`). Large ones while the backend
before goes on serving: a `Migration` checks documents piece by piece, `Upkeep` fills the indexes
that are to come, and when both are done the new manifest takes over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from headwater.core import validators
from headwater.core.catalog import Catalog, CatalogIndex, coming, is_coming
from headwater.core.database import Database
from headwater.core.documents import Stored
from headwater.core.keys import index_prefix, successor
from headwater.core.manifest import (
    BY_CREATION_TIME,
    IndexSpec,
    Manifest,
    SearchIndexSpec,
    TableSpec,
)
from headwater.core.overlay import WriteSet
from headwater.core.system import SYSTEM_SPECS
from headwater.core.upkeep import Upkeep, with_transaction
from headwater.core.validators import Validator
from headwater.core.walk import Walk
from headwater.core.widening import widens
from headwater.errors import SchemaMismatch

_REPORTED = 10
_SHAPE = "shape:"
_TOLD = 10_000
AT_ONCE = 1_000
"""Documents to look at, at most, for a change of schema that is made in one go: some 50 ms."""


def adopt(database: Database, manifest: Manifest) -> None:
    """Makes the database serve a manifest, or leaves it as it was; all of it at once.

    Raises:
        SchemaMismatch: stored documents that do not fit, by table, id and field.
    """
    adopt_with(database, Migration(database, manifest))


def adopt_with(database: Database, migration: Migration) -> None:
    """As `adopt`, with a migration that was only just made.

    Raises:
        SchemaMismatch: as for `adopt`.
    """
    if migration.needed:
        with_transaction(database, lambda: _all_at_once(migration))
    database.manifest = migration.manifest


def adopt_at_start(
    database: Database, manifest: Manifest, tell: Callable[[str], None] = lambda _text: None
) -> None:
    """As `adopt`, for a server that starts: nobody may see a document that does not fit, so all
    are checked first; but large indexes are filled while it serves.

    Args:
        database: what is to serve.
        manifest: what it is to serve.
        tell: told of the progress of a long check.

    Raises:
        SchemaMismatch: as for `adopt`; the database is left as it was.
    """
    migration = Migration(database, manifest)
    if migration.small:
        adopt_with(database, migration)
        return
    while migration.check():
        if migration.checked % _TOLD == 0:
            tell(f"{migration.checked:,} stored documents checked against the new schema")
    with_transaction(database, migration.begin)
    with_transaction(database, migration.fill_small)
    with_transaction(database, migration.finish)
    database.manifest = manifest


def _all_at_once(migration: Migration) -> None:
    while migration.check():
        pass
    migration.begin()
    migration.fill()
    migration.finish()


class Migration:
    """The way from what a database serves to another manifest.

    First `check` until it says that it is done, and `begin`, in either order; then, when `ready`,
    `finish`. Between these the manifest before may go on serving, and `notice` is told of its
    writes.

    Attributes:
        manifest: where it leads.
        checked: documents looked at so far.
    """

    def __init__(self, database: Database, manifest: Manifest) -> None:
        self._database = database
        self.manifest = manifest
        self._misfits: dict[str, str] = {}
        self._more = 0
        self.checked = 0
        self._tables = (*SYSTEM_SPECS.values(), *manifest.tables.values())
        self._changed = [t for t in manifest.tables.values() if self._has_new_shape(t)]
        self._checks = [table for table in self._changed if self._may_misfit(table)]
        self._walks = [Walk(database, table.name) for table in self._checks]

    @property
    def needed(self) -> bool:
        """False when documents and indexes are already as the manifest wants them."""
        indexes = any(map(self._has_new_indexes, self._tables))
        return bool(self._changed or indexes or self._undeclared())

    @property
    def small(self) -> bool:
        """True when few documents have to be looked at."""
        work = {table.name for table in self._checks}
        work |= {table.name for table in self._tables if self._to_fill(table)}
        room = AT_ONCE
        for name in work:
            room -= count(self._database, name, room + 1)
        return room >= 0

    def unfilled(self, *, staged: bool) -> Iterator[str]:
        """The indexes that have to be filled, `tasks.by_owner`: staged ones, or those that must be
        whole first; an empty table's need nothing.
        """
        for table in self._tables:
            if count(self._database, table.name, 1):
                for index in self._to_fill(table):
                    if index.staged == staged:
                        yield f"{table.name}.{index.name}"

    def begin(self) -> None:
        """Makes tables and empty indexes, which writes go into from now on; in a transaction."""
        catalog = self._database.catalog
        for table in self._tables:
            catalog.table(table.name)
            for name in list(catalog.stale_indexes(table)):
                if is_coming(name):
                    catalog.discard_index(table.name, name)
            for index in self._to_fill(table):
                catalog.add_coming(table.name, index.name, index.fields)

    def check(self) -> bool:
        """Looks at some stored documents; False when all have been seen.

        Raises:
            SchemaMismatch: all have been seen, and some do not fit.
        """
        if self._walks:
            if not self._check_some(self._checks[-len(self._walks)], self._walks[0]):
                self._walks.pop(0)
            return True
        self._judge()
        return False

    def fill(self) -> None:
        """Fills what `begin` made, at once; in a transaction."""
        for table in self._tables:
            self._fill(table)

    def fill_small(self) -> None:
        """As `fill`, for the tables that have few documents."""
        for table in self._tables:
            if count(self._database, table.name, AT_ONCE + 1) <= AT_ONCE:
                self._fill(table)

    def _fill(self, table: TableSpec) -> None:
        upkeep, catalog = Upkeep(self._database), self._database.catalog
        for index in table.all_indexes:
            if catalog.coming(table.name, index.name) is not None:
                while not upkeep.fill(table.name, coming(index.name)):
                    pass

    @property
    def ready(self) -> bool:
        """True when nothing the new manifest serves is still missing documents."""
        return not self._walks and not any(
            index.filled_to is not None for _, index in self._awaited()
        )

    @property
    def progress(self) -> str:
        """What is being waited for, in words."""
        waiting = [f"{name}" for name, index in self._awaited() if index.filled_to is not None]
        parts = [f"{self.checked:,} documents checked"] if self._checks else []
        return ", ".join([*parts, *(f"index {name} being filled" for name in waiting)])

    def finish(self) -> None:
        """Puts the new indexes in force and lets the old ones go; in a transaction."""
        catalog = self._database.catalog
        for table in self._tables:
            for index in table.all_indexes:
                if catalog.coming(table.name, index.name) is not None:
                    catalog.settle(table.name, index.name)
            for name in list(catalog.stale_indexes(table)):
                catalog.discard_index(table.name, name)
        for table in self._changed:
            self._keep_shape(table, catalog)
        self._forget_shapes(catalog)
        for _ in list(catalog.garbage):  # a small one is gone with this
            Upkeep(self._database).clean()

    def notice(self, write_set: WriteSet) -> None:
        """Looks at what the manifest before wrote while this one's checks go on."""
        checks = {table.name: table for table in self._checks}
        for stored in write_set.documents.values():
            if stored is not None and stored.table in checks:
                self._check_one(checks[stored.table], stored)

    def start_over(self) -> None:
        """Checks from the beginning, because documents came in from elsewhere."""
        self._walks = [Walk(self._database, table.name) for table in self._checks]

    def _has_new_shape(self, table: TableSpec) -> bool:
        entry = self._database.catalog.tables.get(table.name)
        return entry is None or entry.shape != self.manifest.shapes[table.name]

    def _may_misfit(self, table: TableSpec) -> bool:
        """False for a shape that only got wider, and for an empty table."""
        before = self._old_shape(table.name)
        if before is not None and widens(before, table.document):
            return False
        return count(self._database, table.name, 1) > 0

    def _old_shape(self, name: str) -> Validator | None:
        record = self._database.storage.record(_SHAPE + name)
        if record is None:
            return None
        kept = json.loads(record)
        entry = self._database.catalog.tables.get(name)
        same = entry is not None and entry.shape == kept["mark"]
        return validators.from_json(kept["shape"]) if same else None

    def _forget_shapes(self, catalog: Catalog) -> None:
        """What is written to a table no class declares is checked when one declares it again."""
        for name in self._undeclared():
            catalog.tables[name].shape, catalog.changed = "", True

    def _undeclared(self) -> list[str]:
        tables = self._database.catalog.tables
        return [n for n, t in tables.items() if t.shape and n not in self.manifest.tables]

    def _keep_shape(self, table: TableSpec, catalog: Catalog) -> None:
        entry, mark = catalog.table(table.name), self.manifest.shapes[table.name]
        entry.shape, catalog.changed = mark, True
        record = json.dumps({"mark": mark, "shape": table.document.to_json()})
        self._database.storage.put_record(_SHAPE + table.name, record.encode())

    def _has_new_indexes(self, table: TableSpec) -> bool:
        catalog = self._database.catalog
        if table.name not in catalog.tables:
            return True
        return any(catalog.stale_indexes(table)) or any(self._to_fill(table))

    def _to_fill(self, table: TableSpec) -> list[IndexSpec | SearchIndexSpec]:
        """The indexes the table has not yet, or with other fields."""
        entry = self._database.catalog.tables.get(table.name)
        has = {} if entry is None else entry.indexes
        return [i for i in table.all_indexes if i.name not in has or has[i.name].fields != i.fields]

    def _awaited(self) -> Iterator[tuple[str, CatalogIndex]]:
        """The indexes that must be whole before the new manifest serves."""
        catalog = self._database.catalog
        for table in self._tables:
            for spec in table.all_indexes:
                before = self._database.table(table.name).all_indexes
                old = next((i for i in before if i.name == spec.name), None)
                served = old is not None and old.fields == spec.fields and not old.staged
                index = catalog.coming(table.name, spec.name)
                index = index or catalog.table(table.name).indexes.get(spec.name)
                if index is not None and not spec.staged and not served:
                    yield f"{table.name}.{spec.name}", index

    def _check_some(self, table: TableSpec, walk: Walk) -> bool:
        piece = walk.next()
        for stored in piece:
            self._check_one(table, stored)
        self.checked += len(piece)
        return not walk.done

    def _check_one(self, table: TableSpec, stored: Stored) -> None:
        text = self._misfit(table, stored)
        if text is None:
            self._misfits.pop(stored.id, None)
        elif stored.id in self._misfits or len(self._misfits) < _REPORTED:
            self._misfits[stored.id] = text
        else:
            self._more += 1

    def _misfit(self, table: TableSpec, stored: Stored) -> str | None:
        found = table.document.check(stored.fields, self._database.catalog.table_of)
        words = " ".join(str(found).split())
        return None if found is None else f"{table.name} {stored.id}: {words}"

    def _judge(self) -> None:
        """Refuses when documents do not fit; those removed since they were seen do not count."""
        stored = self._database.document
        misfits = [text for name, text in self._misfits.items() if stored(name) is not None]
        if misfits or self._more:
            raise SchemaMismatch(misfits, self._more)


def count(database: Database, table: str, limit: int) -> int:
    """How many documents a table has, counted up to a limit."""
    entry = database.catalog.tables.get(table)
    if entry is None:
        return 0
    prefix = index_prefix(entry.indexes[BY_CREATION_TIME.name].number)
    return database.storage.count(prefix, successor(prefix), limit)


def documents(database: Database, table: str) -> Iterator[Stored]:
    """All documents of a table, oldest first."""
    number = database.catalog.table(table).indexes[BY_CREATION_TIME.name].number
    prefix = index_prefix(number)
    for _, document_id in database.entries(prefix, successor(prefix), False):
        stored = database.document(document_id)
        if stored is not None:
            yield stored
