"""The rows of an import file, one at a time with their line numbers, whatever its format."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from headwater.core import values
from headwater.core.manifest import TableSpec
from headwater.core.validators import Number, Object, String
from headwater.core.values import UNSET
from headwater.data.archive import Archive, reading
from headwater.data.values_in import cell_in, lossless_in, parsed, plain_in, shapes_of
from headwater.errors import ImportRefused, InvalidValue
from headwater.settings import Limits

FORMATS: Final = {".zip": "zip", ".jsonl": "jsonl", ".json": "json", ".csv": "csv"}
_SYSTEM: Final = {"_id": String(), "_creationTime": Number()}
_BOM: Final = b"\xef\xbb\xbf"
_NUMBERLESS: Final = ("int64", "bytes")


@dataclass(frozen=True)
class Row:
    """One document as the file has it.

    Attributes:
        file: where it stands.
        line: the line, or the place in an array; from 1.
        problem: why it is none; then `value` is empty.
    """

    file: str
    line: int
    value: dict[str, Any]
    problem: str = ""


class Source:
    """An import file.

    Args:
        path: the file.
        format: `zip`, `jsonl`, `json` or `csv`.
        table: where the rows go; for a zip, the only table to take, or None for all.
        limits: of lines and arrays.
        name: how messages call the file.

    Raises:
        ImportRefused: a zip that cannot be read.
    """

    def __init__(
        self, path: Path, format: str, table: str | None, limits: Limits, name: str = ""
    ) -> None:
        self._path, self._format, self._limits = path, format, limits
        self.name = name or path.name
        self._archive = Archive.open(path, limits) if format == "zip" else None
        self.tables = self._tables(table)

    def _tables(self, wanted: str | None) -> list[str]:
        if self._archive is None:
            return [wanted or ""]
        found = [name for name in self._archive.documents if not name.startswith("_")]
        if wanted is not None and wanted not in found:
            raise ImportRefused(self.name, f"there is no table {wanted}; {', '.join(found)}")
        if wanted is not None:
            return [wanted]
        return [*sorted(found), *(["_storage"] if "_storage" in self._archive.documents else [])]

    @property
    def size(self) -> int:
        """How much there is to read, for progress."""
        if self._archive is None:
            return self._path.stat().st_size
        return sum(self._archive.documents[name].file_size for name in self.tables)

    def numbers(self) -> dict[str, int]:
        """The numbers of tables inside ids, as the zip says."""
        if self._archive is None or "_tables" not in self._archive.documents:
            return {}
        info = self._archive.documents["_tables"]
        with self._archive.read(info) as file:
            lines = [
                self._parsed(info.filename, line) for _, line in self._lines(file, info.filename)
            ]
        found = {str(one.get("name")): one.get("id") for one in lines}
        return {name: number for name, number in found.items() if type(number) is int}

    def first(self, table: str) -> dict[str, Any] | None:
        """The first row as it stands there, {} when it is none, None when there is no row."""
        if self._archive is None:
            row = next(self.rows(TableSpec(table)), None)
            return None if row is None else row.value
        info = self._archive.documents[table]
        with self._archive.read(info) as file:
            _, line = next(self._lines(file, info.filename), (0, None))
        try:
            found = {} if line is None else parsed(line)
        except InvalidValue:
            found = {}
        return None if line is None else found if type(found) is dict else {}

    def rows(self, table: TableSpec) -> Iterator[Row]:
        """The rows of a table, oldest line first."""
        if self._archive is not None:
            yield from self._of_zip(self._archive, table)
        elif self._format == "csv":
            yield from self._of_csv(table)
        elif self._format == "json":
            yield from self._of_array(table)
        else:
            shapes = shapes_of(table.document)
            with self._path.open("rb") as file:
                yield from self._of_lines(file, self.name, lambda value: plain_in(value, shapes))

    @property
    def has_files(self) -> bool:
        """True for a zip that has stored files."""
        return self._archive is not None and "_storage" in self._archive.documents

    def file(self, document_id: str) -> IO[bytes] | None:
        """The bytes of a stored file, None when the zip has only its line."""
        info = self._archive.files.get(document_id) if self._archive is not None else None
        return None if self._archive is None or info is None else self._archive.read(info)

    def close(self) -> None:
        """Lets the file go."""
        if self._archive is not None:
            self._archive.close()

    def _of_zip(self, archive: Archive, table: TableSpec) -> Iterator[Row]:
        info = archive.documents[table.name]
        read = self._reader(archive, table)
        with archive.read(info) as file:
            yield from self._of_lines(file, info.filename, read)

    def _reader(self, archive: Archive, table: TableSpec) -> Callable[[Any], Any]:
        """How the lines of a table's documents are to be understood."""
        shapes = shapes_of(table.document)
        info = archive.schemas.get(table.name)
        if info is None:
            return lambda value: plain_in(value, shapes)
        with archive.read(info) as file:
            lines = self._lines(file, info.filename)
            first = next(lines, (1, b""))[1].decode(errors="replace")
            if first.strip() == '"uniform"':
                return lossless_in
            contexts: dict[str, Any] = {}
            for _, line in lines:
                contexts.update(self._parsed(info.filename, line))
        if not isinstance(table.document, Object) and any(k in first for k in _NUMBERLESS):
            raise ImportRefused(
                info.filename,
                f"this older export does not say which texts of {table.name} are int64 or bytes: "
                "declare the table in backend/schema.py first",
            )
        return lambda value: plain_in(value, shapes, contexts.get(str(value.get("_id"))))

    def _parsed(self, name: str, line: bytes) -> dict[str, Any]:
        """A line of what a zip says about its tables."""
        try:
            found = parsed(line)
        except InvalidValue as error:
            raise ImportRefused(name, str(error)) from None
        if type(found) is not dict:
            raise ImportRefused(name, "not an object")
        return found

    def _of_lines(self, file: IO[bytes], name: str, read: Callable[[Any], Any]) -> Iterator[Row]:
        for number, line in self._lines(file, name):
            yield _row(name, number, lambda line=line: parsed(line), read)  # type: ignore[misc]

    def _lines(self, file: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
        number, most = 0, int(self._limits.import_line_bytes)
        while line := _line(file, most + 1, name):
            number += 1
            if len(line) > most:
                raise ImportRefused(f"{name}, line {number}", f"longer than {most:,} bytes")
            line = line.removeprefix(_BOM) if number == 1 else line
            if line.strip():
                yield number, line

    def _of_array(self, table: TableSpec) -> Iterator[Row]:
        most = int(self._limits.import_array_bytes)
        if self._path.stat().st_size > most:
            raise ImportRefused(
                self.name,
                f"an array of more than {most:,} bytes; write one document per line instead: "
                "jq -c '.[]' data.json > data.jsonl",
            )
        try:
            items = parsed(self._path.read_bytes().removeprefix(_BOM))
        except InvalidValue as error:
            raise ImportRefused(self.name, str(error)) from None
        if not isinstance(items, list):
            raise ImportRefused(self.name, "not an array of objects; one per line is .jsonl")
        shapes = shapes_of(table.document)
        for number, item in enumerate(items, 1):
            yield _row(self.name, number, lambda item=item: item, lambda v: plain_in(v, shapes))  # type: ignore[misc]

    def _of_csv(self, table: TableSpec) -> Iterator[Row]:
        csv.field_size_limit(int(self._limits.import_line_bytes))
        with self._path.open("rb") as binary:
            text = io.TextIOWrapper(binary, "utf-8-sig", newline="")
            reader = csv.reader(text, strict=True)
            try:
                names = [name.strip() for name in next(reader, [])]
                if not names:
                    raise ImportRefused(self.name, "the first line must name the fields")
                for cells in reader:
                    yield self._csv_row(table, names, cells, reader.line_num)
            except (csv.Error, UnicodeDecodeError) as error:
                place = f"{self.name}, line {reader.line_num}"
                raise ImportRefused(place, f"not CSV in UTF-8: {error}") from None

    def _csv_row(self, table: TableSpec, names: list[str], cells: list[str], line: int) -> Row:
        if len(cells) != len(names):
            text = f"{len(cells)} cells, the header has {len(names)}"
            return Row(self.name, line, {}, text)
        shape = table.document.fields if isinstance(table.document, Object) else {}

        def read(row: dict[str, str]) -> dict[str, Any]:
            made = {}
            for name, text in row.items():
                field = shape.get(name)
                shapes = shapes_of(field.validator if field else _SYSTEM.get(name, table.document))
                value = cell_in(text, shapes, optional=field is not None and field.optional)
                made.update({} if value is UNSET else {name: value})
            return made

        return _row(self.name, line, lambda: dict(zip(names, cells, strict=True)), read)


def _line(file: IO[bytes], most: int, name: str) -> bytes:
    with reading(name):
        return file.readline(most)


def _row(file: str, line: int, parse: Callable[[], Any], read: Callable[[Any], Any]) -> Row:
    try:
        found = parse()
        if type(found) is not dict:
            return Row(file, line, {}, "not an object")
        return Row(file, line, values.normalize(read(found)))
    except RecursionError:
        return Row(file, line, {}, "nested deeper than any document may be")
    except InvalidValue as error:
        return Row(file, line, {}, str(error))
