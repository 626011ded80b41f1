"""Convex's snapshot zip: the documents of every table as lines of JSON, all of one moment.

The moment is a copy that the storage makes of itself while it goes on; the zip is written from the
copy, beside the engine, a chunk at a time.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import sleep
from typing import IO, Any, Final, cast

import orjson

from headwater.core import values
from headwater.core.catalog import Catalog, CatalogTable
from headwater.core.documents import Stored
from headwater.core.keys import index_prefix, successor
from headwater.core.manifest import BY_CREATION_TIME
from headwater.core.storage import Storage
from headwater.data import Tell, quiet, stored_files
from headwater.data.stored_files import Bytes, member_of
from headwater.data.values_in import lossless_out

README: Final = """# A snapshot of a Headwater deployment

`TABLE/documents.jsonl` has the documents of a table, one per line, in Convex's export format.
`headwater import` reads this file.
"""
_CHUNK: Final = 1_000
_PAUSE_S: Final = 0.001
_DATE: Final = (1980, 1, 1, 0, 0, 0)  # equal snapshots are equal files


class _Pipe:
    """A file of which what was written is taken away at once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def write(self, data: Any) -> int:
        """Takes bytes."""
        self._parts.append(bytes(data))
        self._written += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        """How much was written in all."""
        return self._written

    def flush(self) -> None:
        """Holds nothing back anyway."""

    def take(self) -> bytes:
        """What came since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def export(
    storage: Storage, folder: Path, files: Bytes | None = None, tell: Tell = quiet
) -> Iterator[bytes]:
    """A snapshot zip of what a storage holds now, piece by piece.

    Args:
        storage: the one that the engine writes; it goes on meanwhile.
        folder: for the copy.
        files: gives the bytes of stored files, if they are to be in it.
        tell: told of the progress.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="export-") as place:
        copy = storage.snapshot(Path(place) / "copy.sqlite3", partial(_copied, tell))
        try:
            yield from _written(copy, files, tell)
        finally:
            copy.close()


def _copied(tell: Tell, done: int, total: int) -> None:
    tell("copying", done, total)
    sleep(_PAUSE_S)  # the engine's turn


def _written(copy: Storage, files: Bytes | None, tell: Tell) -> Iterator[bytes]:
    tables = {n: t for n, t in Catalog.load(copy).tables.items() if not n.startswith("_")}
    pipe = _Pipe()
    with zipfile.ZipFile(cast("IO[bytes]", pipe), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_info("README.md"), README)
        archive.writestr(_info("_tables/documents.jsonl"), _tables(tables))
        done, total = 0, sum(_count(copy, table) for table in tables.values())
        for name, table in sorted(tables.items()):
            archive.writestr(_info(f"{name}/generated_schema.jsonl"), b'"uniform"\n')
            with archive.open(_info(f"{name}/documents.jsonl"), "w", force_zip64=True) as member:
                for lines, many in _lines(copy, table):
                    member.write(lines)
                    done += many
                    tell(f"writing {name}", done, total)
                    yield pipe.take()
        if files is not None:
            yield from _files(archive, pipe, copy, files)
    yield pipe.take()


def _files(archive: zipfile.ZipFile, pipe: _Pipe, copy: Storage, files: Bytes) -> Iterator[bytes]:
    """The bytes of stored files, then the lines of those that were still there."""
    lines = []
    for stored in _stored_files(copy):
        chunks = files.read(stored.value["storageId"], int(stored.value["size"]))
        try:
            first = next(chunks, b"")
        except FileNotFoundError:
            continue  # removed since the copy was made
        with archive.open(_info(member_of(stored)), "w", force_zip64=True) as member:
            member.write(first)
            for chunk in chunks:
                member.write(chunk)
                yield pipe.take()
        lines.append(stored_files.line_of(stored))
    archive.writestr(_info(f"{stored_files.TABLE}/documents.jsonl"), b"".join(lines))


def _stored_files(copy: Storage) -> Iterator[Stored]:
    table = Catalog.load(copy).tables.get(stored_files.TABLE)
    start, end = _range(table) if table is not None else (b"", b"")
    while chunk := copy.scan(start, end, False, _CHUNK):
        for key, document_id in chunk:
            start = key + b"\x00"
            body = copy.document(document_id)
            if body is not None:
                yield Stored(document_id, stored_files.TABLE, body)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _tables(tables: dict[str, CatalogTable]) -> bytes:
    rows = sorted((table.number, name) for name, table in tables.items())
    return b"".join(orjson.dumps({"name": name, "id": number}) + b"\n" for number, name in rows)


def _range(table: CatalogTable) -> tuple[bytes, bytes]:
    prefix = index_prefix(table.indexes[BY_CREATION_TIME.name].number)
    return prefix, successor(prefix)


def _count(copy: Storage, table: CatalogTable) -> int:
    return copy.count(*_range(table), 2**62)


def _lines(copy: Storage, table: CatalogTable) -> Iterator[tuple[bytes, int]]:
    start, end = _range(table)
    while chunk := copy.scan(start, end, False, _CHUNK):
        bodies = (copy.document(document_id) for _, document_id in chunk)
        yield b"".join(line_of(body) + b"\n" for body in bodies if body is not None), len(chunk)
        start = chunk[-1][0] + b"\x00"


def line_of(body: bytes) -> bytes:
    """A stored document as a line of an export: int64 as an integer, floats with their point."""
    if b'"$' not in body:
        return body
    return orjson.dumps(lossless_out(values.decode(body)), option=orjson.OPT_SORT_KEYS)
