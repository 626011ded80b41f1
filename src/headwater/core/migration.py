"""A new manifest meets the stored documents: check them, fill new indexes, drop the ones gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from headwater.core.catalog import CatalogIndex
from headwater.core.database import Database
from headwater.core.documents import Stored
from headwater.core.keys import entry_key, index_prefix, successor
from headwater.core.manifest import BY_CREATION_TIME, Manifest, TableSpec
from headwater.core.storage import Writes
from headwater.core.system import SYSTEM_SPECS
from headwater.errors import SchemaMismatch

_REPORTED = 10
_CHUNK = 500


def adopt(database: Database, manifest: Manifest) -> None:
    """Makes the database serve a manifest, or leaves it as it was.

    Raises:
        SchemaMismatch: stored documents that do not fit, by table, id and field.
    """
    if _is_adopted(database, manifest):
        database.manifest = manifest
        return
    before = database.manifest, database.catalog.copy()
    storage = database.storage
    storage.begin()
    try:
        _check_documents(database, manifest)
        for table in _all_tables(manifest):
            _adopt_table(database, table)
        if database.catalog.changed:
            database.catalog.save(storage)
        storage.commit()
    except BaseException:
        storage.rollback()
        database.manifest, database.catalog = before
        raise
    database.manifest = manifest


def _is_adopted(database: Database, manifest: Manifest) -> bool:
    """True when documents and indexes are already as the manifest wants them."""
    tables = database.catalog.tables
    if any(n not in tables or tables[n].shape != s for n, s in manifest.shapes.items()):
        return False
    return all(
        spec.name in tables
        and {name: index.fields for name, index in tables[spec.name].indexes.items()}
        == {index.name: index.fields for index in (BY_CREATION_TIME, *spec.indexes)}
        for spec in _all_tables(manifest)
    )


def _all_tables(manifest: Manifest) -> Iterable[TableSpec]:
    return (*SYSTEM_SPECS.values(), *manifest.tables.values())


def _check_documents(database: Database, manifest: Manifest) -> None:
    misfits = []
    for table in manifest.tables.values():
        entry = database.catalog.table(table.name)
        shape = manifest.shapes[table.name]
        if entry.shape == shape:
            continue
        for stored in documents(database, table.name):
            misfit = table.document.check(stored.fields, database.catalog.table_of)
            if misfit is not None:
                misfits.append(f"{table.name} {stored.id}: {' '.join(str(misfit).split())}")
        entry.shape = shape
        database.catalog.changed = True
    if misfits:
        raise SchemaMismatch(misfits[:_REPORTED], max(0, len(misfits) - _REPORTED))


def _adopt_table(database: Database, table: TableSpec) -> None:
    catalog = database.catalog
    for name in list(catalog.stale_indexes(table)):
        prefix = index_prefix(catalog.tables[table.name].indexes[name].number)
        database.storage.drop_entries(prefix, successor(prefix))
        catalog.drop_index(table.name, name)
    present = catalog.table(table.name).indexes
    for spec in table.indexes:
        if spec.name not in present:
            _fill(database, table.name, catalog.add_index(table.name, spec.name, spec.fields))


def _fill(database: Database, table: str, index: CatalogIndex) -> None:
    writes = Writes()
    for stored in documents(database, table):
        writes.entries[entry_key(index.number, index.fields, stored.value)] = stored.id
        if len(writes.entries) >= _CHUNK:
            database.storage.write(writes)
            writes = Writes()
    database.storage.write(writes)


def documents(database: Database, table: str) -> Iterator[Stored]:
    """All documents of a table, oldest first."""
    number = database.catalog.table(table).indexes[BY_CREATION_TIME.name].number
    prefix = index_prefix(number)
    for _, document_id in database.entries(prefix, successor(prefix), False):
        stored = database.document(document_id)
        if stored is not None:
            yield stored
