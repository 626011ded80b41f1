"""A snapshot zip as somebody gave it: nothing in it is believed before it is looked at.

Members are found by their place, `TABLE/documents.jsonl`, and read as streams; no name of theirs is
ever a path of this machine.
"""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from headwater.errors import ImportRefused
from headwater.settings import Limits

_MEMBER: Final = re.compile(r"(?:.*/)?([^/]+)/(documents|generated_schema)\.jsonl")
_FILE: Final = re.compile(r"(?:.*/)?_storage/([^/.]+)(?:\.[^/]+)?")
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError)
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others need memory as they say
_END: Final = 2**16 + 200  # a comment, and the records before it
_IN_ZIP64: Final = 2**32 - 1
_SMALL: Final = 2**26  # 64 MiB unpacked harm nobody, however well they were packed


@contextmanager
def reading(name: str) -> Iterator[None]:
    """What the library says of a damaged member, said of the import.

    Raises:
        ImportRefused: the member is damaged.
    """
    try:
        yield
    except _DAMAGED as error:
        raise ImportRefused(name, f"the zip is damaged: {error}") from None


@dataclass
class Archive:
    """What a snapshot zip holds, by its directory.

    Attributes:
        documents: the documents of each table.
        schemas: what is known of the values of each table.
        files: stored files by their ids.
        unpacked: bytes of all of it.
    """

    zip: zipfile.ZipFile
    documents: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    schemas: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    files: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    unpacked: int = 0

    @classmethod
    def open(cls, path: Path, limits: Limits) -> Archive:
        """Reads a zip's directory.

        Raises:
            ImportRefused: it is no zip, or one that was made to harm.
        """
        try:
            _check_directory(path, int(limits.import_directory_bytes))
            archive = cls(zipfile.ZipFile(path))
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
            raise ImportRefused(path.name, f"it is no zip file: {error}") from None
        try:
            for info in archive.zip.infolist():
                archive._take(info)
            archive._check_size(path, limits)
        except BaseException:
            archive.close()
            raise
        return archive

    def read(self, info: zipfile.ZipInfo) -> IO[bytes]:
        """A member as a stream.

        Raises:
            ImportRefused: it is damaged.
        """
        with reading(info.filename):
            return self.zip.open(info)

    def close(self) -> None:
        """Lets the file go."""
        self.zip.close()

    def _take(self, info: zipfile.ZipInfo) -> None:
        name = info.orig_filename
        _check_name(name)
        if info.is_dir():
            return
        if info.flag_bits & 1 or stat.S_ISLNK(info.external_attr >> 16):
            raise ImportRefused(name, "encrypted members and links are not read")
        if info.compress_type not in _METHODS:
            raise ImportRefused(name, "only stored and deflated members are read; zip it anew")
        self.unpacked += info.file_size
        member, file = _MEMBER.fullmatch(name), _FILE.fullmatch(name)
        if member is not None:
            place = self.documents if member[2] == "documents" else self.schemas
            _keep(place, member[1], info)
        elif file is not None:
            _keep(self.files, file[1], info)

    def _check_size(self, path: Path, limits: Limits) -> None:
        packed = path.stat().st_size
        if self.unpacked > _SMALL and self.unpacked > packed * limits.import_expansion:
            raise ImportRefused(
                path.name,
                f"it unpacks from {packed:,} to {self.unpacked:,} bytes, more than "
                f"{limits.import_expansion} times; that is no export. If it is one of yours, set "
                "HEADWATER_IMPORT_EXPANSION",
            )


def _check_directory(path: Path, most: int) -> None:
    """Refuses a directory that would not fit into memory, by what the zip's end says of it."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, _END), os.SEEK_END)
        end = file.read()
    said = [int.from_bytes(end[at + 12 : at + 16], "little") for at in _places(end, b"PK\5\6")]
    said += [int.from_bytes(end[at + 40 : at + 48], "little") for at in _places(end, b"PK\6\6")]
    size = max((size for size in said if size != _IN_ZIP64), default=0)
    if size > most:
        raise ImportRefused(path.name, f"its directory has {size:,} bytes, more than {most:,}")


def _places(text: bytes, mark: bytes) -> Iterator[int]:
    return (match.start() for match in re.finditer(re.escape(mark), text))


def _check_name(name: str) -> None:
    parts = name.split("/")
    if ".." in parts or parts[0] == "" or "\\" in name or ":" in parts[0] or "\0" in name:
        raise ImportRefused(name, "a name in the zip leads outside of it; nothing was read")
    if "_components" in parts:
        raise ImportRefused(name, "components are not supported; export without them")


def _keep(place: dict[str, zipfile.ZipInfo], name: str, info: zipfile.ZipInfo) -> None:
    if name in place:
        raise ImportRefused(info.filename, f"the zip has a second place for {name}")
    place[name] = info
