"""Blobs: whole or not there, whatever the place."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from headwater.blobs import Blobs
from headwater.errors import FileInvalid, FileStorageFailure

NAME = "5594aa6b-342f-4d0a-ba5e-4842fab428f7"
LIMIT = 10**9
PLACES = ["folder", "memory"]


def place(kind: str, folder: Path) -> Blobs:
    """Blobs in a folder or in memory."""
    return Blobs.in_memory() if kind == "memory" else Blobs.at(None, folder)


async def pieces(
    count: int, size: int = 2**16, fails: Exception | None = None
) -> AsyncIterator[bytes]:
    """Content that comes in pieces, and may break off."""
    for number in range(count):
        yield number.to_bytes(2, "big") * (size // 2)
    if fails is not None:
        raise fails


async def whole(blobs: Blobs, start: int, end: int) -> bytes:
    """What a read gives, together."""
    return b"".join([chunk async for chunk in await blobs.read(NAME, start, end)])


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 50])
def test_what_is_written_is_read(kind: str, count: int, tmp_path: Path) -> None:
    """Empty, in one part (of 16 pieces), in several: with its size, hash, and any range."""

    async def run() -> None:
        blobs = place(kind, tmp_path)
        content = b"".join([piece async for piece in pieces(count)])
        written = await blobs.write(NAME, pieces(count), LIMIT, hashlib.sha256(content).digest())
        assert (written.size, written.sha256) == (len(content), hashlib.sha256(content).digest())
        assert await whole(blobs, 0, len(content)) == content
        assert await whole(blobs, 7, len(content) // 2) == content[7 : len(content) // 2]

    asyncio.run(run())


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("count", [1, 50])
def test_what_breaks_off_was_never_there(kind: str, count: int, tmp_path: Path) -> None:
    """An error of the content, another hash, too many bytes: the error is theirs, nothing stays."""

    async def run() -> None:
        blobs = place(kind, tmp_path)
        with pytest.raises(FileNotFoundError, match="of the source"):
            await blobs.write(
                NAME, pieces(count, fails=FileNotFoundError("of the source")), LIMIT, None
            )
        with pytest.raises(FileInvalid, match="SHA-256"):
            await blobs.write(NAME, pieces(count), LIMIT, b"0" * 32)
        with pytest.raises(FileInvalid, match="HEADWATER_FILE_BYTES"):
            await blobs.write(NAME, pieces(count), count * 2**16 - 1, None)
        with pytest.raises(FileNotFoundError):
            await blobs.read(NAME, 0, 1)

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


def test_who_stops_waiting_leaves_nothing(tmp_path: Path) -> None:
    """A cancelled write ends, though its content would never come, and its parts are gone."""

    async def run() -> None:
        blobs, begun = Blobs.at(None, tmp_path), asyncio.Event()

        async def content() -> AsyncIterator[bytes]:
            async for piece in pieces(50):
                yield piece
            begun.set()
            await asyncio.Event().wait()

        writing = asyncio.create_task(blobs.write(NAME, content(), LIMIT, None))
        await begun.wait()
        assert [file.name for file in tmp_path.iterdir()] == [f"{NAME}#1"]
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """Temporary files of blobs only."""
    for name in (f"{NAME}#1", f"{NAME}#12", NAME, "notes#1"):
        (tmp_path / name).write_bytes(b"x")
    Blobs.at(None, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {NAME, "notes#1"}


def test_removing_twice_is_no_error(tmp_path: Path) -> None:
    """The second time there is nothing to do."""

    async def run() -> None:
        blobs = Blobs.at((tmp_path / "elsewhere").as_uri(), tmp_path)
        await blobs.write(NAME, pieces(1), LIMIT, None)
        assert (tmp_path / "elsewhere" / NAME).exists()
        await blobs.remove(NAME)
        await blobs.remove(NAME)
        with pytest.raises(FileNotFoundError):
            await blobs.read(NAME, 0, 1)

    asyncio.run(run())


@pytest.mark.parametrize("url", ["nonsense", "ftp://a/b", "s3://"])
def test_a_place_that_is_none(url: str, tmp_path: Path) -> None:
    """Is refused at the start, with the variable that names it."""
    with pytest.raises(FileStorageFailure, match="cannot hold files") as refused:
        Blobs.at(url, tmp_path)
    assert url in str(refused.value)
    assert "HEADWATER_FILES_URL" in refused.value.message


def test_a_folder_that_refuses(tmp_path: Path) -> None:
    """The error says what the system said; it is no traceback of a library."""

    async def run() -> None:
        blobs = Blobs.at(None, tmp_path / "files")
        (tmp_path / "files").rmdir()
        (tmp_path / "files").write_text("a file where the folder was")
        for count in (1, 50):
            with pytest.raises(FileStorageFailure, match="the file was not stored: "):
                await blobs.write(NAME, pieces(count), LIMIT, None)
        with pytest.raises(FileStorageFailure, match="cannot be read"):
            await blobs.read(NAME, 0, 1)

    asyncio.run(run())
