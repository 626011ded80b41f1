"""An import: the whole file is read and checked aside, then takes effect in one transaction.

1. `_Plan`: what the database is like now, and which numbers its tables will have. (step, reads)
2. Each row is checked and staged under its id, with its index keys. (beside the engine)
3. `_apply`: old documents out, staged ones in, all of it or nothing. (step, writes)

A process killed before the end of 3 leaves a staging file, which the next one throws away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from headwater.clock import Clock
from headwater.core import ids
from headwater.core.catalog import OWN_NUMBERS, Catalog
from headwater.core.database import Database
from headwater.core.documents import Stored
from headwater.core.keys import successor
from headwater.core.manifest import BY_CREATION_TIME, Manifest, TableSpec
from headwater.core.migration import count, documents
from headwater.core.system import SYSTEM_SPECS
from headwater.core.values import Int64
from headwater.core.writes import check_size, checked_document
from headwater.data import Ask, Tell, quiet
from headwater.data.archive import reading
from headwater.data.sources import Row, Source
from headwater.data.staging import Staging
from headwater.data.stored_files import TABLE, Bytes, digest, row_of
from headwater.errors import HeadwaterError, ImportRefused, InvalidStorageId
from headwater.settings import Limits

Mode = Literal["empty", "append", "replace", "replace-all"]
MODES: Final = ("empty", "append", "replace", "replace-all")
_TRIES: Final = 3
_REPORTED: Final = 10
_TOLD: Final = 500


@dataclass(frozen=True)
class Summary:
    """What an import did.

    Attributes:
        imported: documents by table.
        removed: documents that were there before and went, by table.
    """

    imported: dict[str, int]
    removed: dict[str, int]


class _Moved(Exception):
    """The database changed its tables between the plan and its end."""


def import_file(
    ask: Ask,
    source: Source,
    mode: Mode,
    folder: Path,
    clock: Clock,
    *,
    files: Bytes | None = None,
    tell: Tell = quiet,
) -> Summary:
    """Imports a file; what anybody follows is pushed as soon as it is in.

    Args:
        ask: the engine.
        source: the file.
        mode: `empty` takes only tables without documents, `append` adds, `replace` takes the place
            of what is in the file's tables, `replace-all` of everything.
        folder: for the staging file.
        clock: for documents that come without an id or a time.
        files: takes the bytes of stored files.
        tell: told of the progress.

    Raises:
        ImportRefused: nothing was kept; says where the file is wrong.
        StorageFailure: nothing was kept; the disk refused.
    """
    for _ in range(_TRIES):
        try:
            return _Import(ask, source, mode, folder, clock, files, tell).run()
        except _Moved:
            continue
    raise ImportRefused(source.name, "tables were made or changed all the while; try again")


@dataclass
class _Plan:
    """What an import works from.

    Attributes:
        catalog: the catalog as it will be.
        occupied: the tables that have documents.
    """

    catalog: Catalog
    manifest: Manifest
    limits: Limits
    occupied: set[str]


@dataclass
class _Import:
    ask: Ask
    source: Source
    mode: Mode
    folder: Path
    clock: Clock
    files: Bytes | None
    tell: Tell
    written: set[str] = field(default_factory=set)
    known_files: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    more: int = 0
    last_time: float = 0.0

    def run(self) -> Summary:
        for table in self.source.tables:
            _check_table_name(self.source, table)
        numbers = self._numbers()
        plan = self.ask(lambda database: self._plan(database, numbers))
        staging = Staging(self.folder / "import.staging")
        try:
            imported = self._stage_all(staging, plan)
            self.tell("writing", 0, 0)
            done = self.ask(
                lambda database: self._apply(database, plan, numbers, staging, imported),
                writes=True,
            )
        except BaseException:
            self._settle_files(kept=False)
            raise
        finally:
            staging.close()
        self._settle_files(kept=True)
        return done

    def _settle_files(self, *, kept: bool) -> None:
        if self.files is not None:
            for uuid in self.written:
                (self.files.kept if kept else self.files.removed)(uuid)

    def _numbers(self) -> dict[str, int]:
        """The numbers of the file's tables, by the ids in it, or as the zip says."""
        said, found = self.source.numbers(), {}
        for table in self.source.tables:
            first = self.source.first(table)
            text = first.get("_id") if first else None
            number = ids.table_of(text) if isinstance(text, str) else None
            number = number or (said.get(table) if first is None or text is not None else None)
            if number:
                found[table] = number
        return found

    # the plan

    def _plan(self, database: Database, numbers: dict[str, int]) -> _Plan:
        occupied = {name for name in database.catalog.tables if count(database, name, 1)}
        catalog = database.catalog.copy()
        self._prepare(catalog, numbers, occupied)
        if TABLE in self.source.tables:
            replaced = TABLE in occupied and self._replaces  # equal bytes are not written again
            self.known_files = {u: h if replaced else "" for u, h in _uuids(database)}
        return _Plan(catalog, database.manifest, database.limits, occupied)

    def _prepare(self, catalog: Catalog, numbers: dict[str, int], occupied: set[str]) -> None:
        """Makes the tables, under the numbers that the file's ids have."""
        stays = self._staying(occupied)
        for table in self.source.tables:
            if self.mode == "empty" and table in occupied:
                raise ImportRefused(
                    self.source.name,
                    f"Table {table} already exists. Please choose a new table name or use "
                    "replace/append modes. (--append, --replace)",
                )
            catalog.table(table)
        for table, number in numbers.items():
            if number > OWN_NUMBERS and table[0] != "_":
                raise ImportRefused(self.source.name, _no_number(table, number))
            holder = catalog.name_of(number)
            if holder == table:
                continue
            if table in stays or holder in stays:
                raise ImportRefused(self.source.name, _clash(table, number, holder))
            if holder is not None:
                catalog.move_away(holder)
            catalog.renumber(table, number)

    def _staying(self, occupied: set[str]) -> set[str]:
        """The tables whose documents stay, and so keep their numbers."""
        if not self._replaces:
            return occupied
        rest = occupied - set(self.source.tables)
        return rest if self.mode == "replace" else {name for name in rest if name[0] == "_"}

    @property
    def _replaces(self) -> bool:
        return self.mode in ("replace", "replace-all")

    # rows

    def _stage_all(self, staging: Staging, plan: _Plan) -> dict[str, int]:
        imported = {}
        total, before = self.source.size, 0
        for table in self.source.tables:
            spec = SYSTEM_SPECS.get(table) or plan.manifest.table(table)
            imported[table] = 0
            for row in self.source.rows(spec):
                self._stage(staging, plan, spec, row)
                imported[table] += 1
                if not imported[table] % _TOLD:
                    self.tell(f"reading {table}", before + imported[table], 0)
            before += imported[table]
        self.tell("reading", before, total and before)
        if self.problems:
            where, _, problem = self.problems[0].partition(": ")
            raise ImportRefused(where, problem, self.problems[1:], self.more)
        return imported

    def _stage(self, staging: Staging, plan: _Plan, spec: TableSpec, row: Row) -> None:
        try:
            if row.problem:
                raise HeadwaterError(row.problem)
            fields = dict(row.value)
            if spec.name == TABLE:
                fields = self._file(fields)
            stored = self._stored(plan, spec, fields)
            keys = plan.catalog.table(spec.name).entry_keys(stored.value)
            if not staging.add(stored.id, stored.body, keys, given="_id" in row.value):
                raise InvalidStorageId(f"`_id` {stored.id} is there twice")
        except HeadwaterError as error:
            self._note(f"{row.file}, line {row.line}: {' '.join(str(error).split())}")

    def _file(self, line: dict[str, Any]) -> dict[str, Any]:
        """The row of a stored file, whose bytes are durable."""
        row = row_of(line, self.known_files, self.clock)
        uuid = row["storageId"]
        if self.known_files.pop(uuid, None) == row["sha256"]:
            self.known_files[uuid] = ""
            return row
        self.known_files[uuid] = ""
        content = self.source.file(str(line.get("_id")))
        if content is None or self.files is None:
            raise HeadwaterError("the bytes of this file are not in the zip")
        with content, reading(content.name):
            self.written.add(uuid)
            self.files.write(uuid, content, digest(row))
        return row

    def _note(self, problem: str) -> None:
        if len(self.problems) < _REPORTED:
            self.problems.append(problem)
        else:
            self.more += 1

    def _stored(self, plan: _Plan, spec: TableSpec, fields: dict[str, Any]) -> Stored:
        created = self._created(fields.pop("_creationTime", None))
        given = fields.pop("_id", None)
        table = plan.catalog.table(spec.name)
        if given is None:
            given = ids.make_id(table.number, self.clock.random_bytes(14), created)
        elif not isinstance(given, str) or plan.catalog.table_of(given) != spec.name:
            raise InvalidStorageId(
                f"`_id` {str(given)[:40]!r} is no id of table {spec.name}; leave `_id` out to get "
                "a new one"
            )
        system = {"_id": given, "_creationTime": created}
        document = checked_document(spec, fields, system, plan.catalog.table_of)
        stored = Stored.of(spec.name, document)
        check_size(stored, plan.limits)
        return stored

    def _created(self, given: Any) -> float:
        if given is None:
            now_ms = self.clock.now_ms()
            self.last_time = max(now_ms, self.last_time + 0.001)
            return self.last_time
        if type(given) not in (float, Int64) or not 0 <= given < 1e16:
            raise HeadwaterError(f"`_creationTime` {given!r} is no time in ms since 1970")
        return float(given)

    # the end

    def _apply(
        self,
        database: Database,
        plan: _Plan,
        numbers: dict[str, int],
        staging: Staging,
        imported: dict[str, int],
    ) -> Summary:
        occupied = {name for name in database.catalog.tables if count(database, name, 1)}
        self._prepare(database.catalog, numbers, occupied)
        if database.manifest is not plan.manifest or _marks(database.catalog) != _marks(
            plan.catalog
        ):
            raise _Moved
        cleared = set(self._cleared(occupied))
        for uuid, _ in _uuids(database) if TABLE in cleared else ():
            database.files.removed(uuid)
        removed = {name: _clear(database, name) for name in cleared}
        if not self._replaces:
            self._check_unknown(database, staging)
        for writes in staging.writes():
            database.storage.write(writes)
        database.catalog.changed = True
        return Summary(imported, removed)

    def _cleared(self, occupied: set[str]) -> Iterable[str]:
        if self.mode == "replace-all":
            return [name for name in occupied if not name.startswith("_")]
        return occupied & set(self.source.tables) if self._replaces else ()

    def _check_unknown(self, database: Database, staging: Staging) -> None:
        for document_id in staging.given_ids():
            if database.storage.document(document_id) is not None:
                raise ImportRefused(
                    self.source.name,
                    f"`_id` {document_id} is known here already; --replace takes its place",
                )


def _clear(database: Database, table: str) -> int:
    indexes = database.catalog.table(table).indexes
    first = indexes[BY_CREATION_TIME.name].prefix
    removed = database.storage.drop_documents(first, successor(first))
    for index in indexes.values():
        database.storage.drop_entries(index.prefix, successor(index.prefix))
    return removed


def _marks(catalog: Catalog) -> dict[str, Any]:
    """What staged ids and keys were made for."""
    return {
        name: (table.number, {n: (i.number, i.fields) for n, i in table.indexes.items()})
        for name, table in catalog.tables.items()
    }


def _uuids(database: Database) -> Iterator[tuple[str, str]]:
    for stored in documents(database, TABLE):
        yield str(stored.value["storageId"]), str(stored.value["sha256"])


def _check_table_name(source: Source, name: str) -> None:
    if name == TABLE and source.has_files:
        return
    if name.startswith("_"):
        text = f"Invalid table name {name} starts with metadata prefix '_'"
        raise ImportRefused(source.name, text)
    if not name.isidentifier() or not name.isascii() or len(name) > 64:
        raise ImportRefused(source.name, f"{name!r} is no table name; use letters, digits and _")


def _no_number(table: str, number: int) -> str:
    return f"the ids in {table} have number {number}, which no table can have; leave `_id` out"


def _clash(table: str, number: int, holder: str | None) -> str:
    if holder is None:
        return (
            f"the ids in {table} were made elsewhere (table number {number}), and {table} has "
            "documents here. --replace takes their place; or leave `_id` out of the file"
        )
    way = "Leave `_id` out of the file" if holder[0] == "_" else "Import both with --replace"
    return (
        f"the ids in {table} have number {number}, which is that of table {holder} here, and that "
        f"has documents. {way}, or import into an empty deployment"
    )
