"""A database with an engine that does steps at once, and files to import into it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from headwater.clock import VirtualClock
from headwater.core.calls import AnswerOne, Frame
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.manifest import IndexSpec, Manifest, TableSpec
from headwater.core.migration import documents
from headwater.core.requests import Insert, Range, Scan
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.transaction import Transaction
from headwater.core.validators import (
    Array,
    Boolean,
    Bytes,
    Field,
    IdOf,
    Int64Validator,
    Literal,
    Null,
    Number,
    Object,
    String,
    Union,
)
from headwater.core.work import Overhaul, Transact
from headwater.data.exporting import export
from headwater.data.importing import Mode, Summary, import_file
from headwater.data.sources import FORMATS, Source
from headwater.settings import Limits

T = TypeVar("T")

PEOPLE = TableSpec("people", Object({"name": Field(String())}))
ITEMS = TableSpec(
    "items",
    Object(
        {
            "title": Field(String()),
            "rank": Field(Number(), True),
            "count": Field(Int64Validator(), True),
            "raw": Field(Bytes(), True),
            "done": Field(Boolean(), True),
            "note": Field(Union((Null(), String())), True),
            "tags": Field(Array(String()), True),
            "kind": Field(Union((Literal("a"), Literal("b"))), True),
            "owner": Field(IdOf("people"), True),
        }
    ),
    (IndexSpec("by_title", ("title",)), IndexSpec("by_rank", ("rank", "title"))),
)
MANIFEST = Manifest({"people": PEOPLE, "items": ITEMS})


class Loaded:
    """A backend without functions."""

    root = None

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    def run(self, frame: Frame, answer: AnswerOne) -> Any:
        """Is never asked to."""

    def attach(self, database: Database) -> None:
        """Takes note of nothing."""


class Door:
    """A deployment: `ask` it as an import does."""

    def __init__(self, folder: Path, manifest: Manifest = MANIFEST, seed: int = 0) -> None:
        self.folder = folder
        self.clock = VirtualClock(seed)
        self.limits = Limits()
        self.database = Database(SqliteStorage(), self.clock, self.limits)
        self.engine = Engine(self.database, Loaded(manifest))

    def ask(self, step: Callable[[Database], T], *, writes: bool = False) -> T:
        """A step of the engine."""
        value: T = self._process(lambda reply: Overhaul(step, reply, writes))
        return value

    def insert(self, table: str, **fields: Any) -> str:
        """A document."""

        def step(transaction: Transaction) -> str:
            document_id: str = transaction.answer(Insert(table, fields))
            return document_id

        return self.transact(step)

    def transact(self, step: Callable[[Transaction], T]) -> T:
        """A step of the runtime in a transaction."""
        made: T = self._process(lambda reply: Transact(step, reply))
        return made

    def _process(self, work: Callable[[Any], Any]) -> Any:
        ended: list[tuple[Any, BaseException | None]] = []
        for output in self.engine.process([work(lambda *end: ended.append(end))]):
            output.send()
        value, error = ended[0]
        if error is not None:
            raise error
        return value

    def all(self, table: str) -> list[dict[str, Any]]:
        """All documents of a table, oldest first."""
        return [stored.value for stored in documents(self.database, table)]

    def titles(self, index: str) -> list[str]:
        """The titles of items in an index's order."""
        transaction = Transaction(self.database)
        batch = transaction.answer(Scan(Range("items", index), None))
        return [stored.value["title"] for stored in batch.documents]

    def export(self, name: str = "snapshot.zip") -> Path:
        """A snapshot of it."""
        path = self.folder / name
        path.write_bytes(b"".join(export(self.database.storage, self.folder)))
        return path

    def load(self, path: Path, mode: Mode = "empty", table: str | None = None) -> Summary:
        """Imports a file."""
        source = Source(path, FORMATS[path.suffix], table, self.limits)
        try:
            return import_file(self.ask, source, mode, self.folder, self.clock)
        finally:
            source.close()

    def load_text(self, name: str, text: str, mode: Mode = "empty") -> Summary:
        """Imports a file with this text into the table of items."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return self.load(path, mode, "items")


def zip_of(path: Path, **members: str | bytes) -> Path:
    """A zip; `items__documents` is `items/documents.jsonl`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name.replace('__', '/')}.jsonl", content)
    return path


def lines(*rows: Any) -> str:
    """JSON, a line each."""
    return "".join(f"{json.dumps(row)}\n" for row in rows)
