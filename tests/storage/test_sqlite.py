"""The SQLite file: kill -9, a second process, a full disk, a file that is none of ours."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headwater.clock import VirtualClock
from headwater.core.commits import CommitLog
from headwater.core.database import Database
from headwater.core.overlay import WriteSet
from headwater.core.storage import SessionRequest, Storage, Writes
from headwater.core.storage.sqlite import SqliteStorage
from headwater.errors import StorageBusy, StorageFailure
from headwater.settings import Limits


@contextmanager
def writer(file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that commits until the block ends; then it is killed, not asked."""
    command = [sys.executable, "-m", "tests.storage.writer", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def acknowledged(process: subprocess.Popen[str], count: int) -> list[str]:
    """The next acknowledgements of a writer."""
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def test_an_acknowledged_commit_survives_kill_9(tmp_path: Path) -> None:
    """What the process said it committed is there when it was killed in the middle of the next."""
    file = tmp_path / "data.sqlite3"
    with writer(file) as process:
        names = acknowledged(process, 50)
    storage = SqliteStorage(file)
    bodies = [storage.document(name) for name in names]
    entries = storage.scan(b"", b"\xff", False, 100_000)
    stored = [storage.document(name) for _, name in entries]
    storage.close()
    assert bodies == [b"x" * 200] * 50
    assert None not in stored, "an entry and its document are kept together or not at all"


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """The file has one owner; the other is told what to do."""
    file = tmp_path / "data.sqlite3"
    with writer(file) as process:
        acknowledged(process, 1)
        with pytest.raises(StorageBusy, match="in use by another process") as refused:
            SqliteStorage(file)
    assert "stop the other server" in refused.value.message


def test_the_file_is_free_when_its_owner_was_killed(tmp_path: Path) -> None:
    """No lock outlives the process that held it."""
    file = tmp_path / "data.sqlite3"
    with writer(file) as process:
        acknowledged(process, 1)
    SqliteStorage(file).close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """The error names the file, which is left as it was."""
    file = tmp_path / "data.sqlite3"
    file.write_bytes(b"something of the user's own" * 100)
    with pytest.raises(StorageFailure, match=r"data\.sqlite3 cannot be read"):
        SqliteStorage(file)
    assert file.read_bytes().startswith(b"something")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The error names the file that cannot be opened."""
    with pytest.raises(StorageFailure, match="unable to open"):
        SqliteStorage(tmp_path / "nowhere" / "data.sqlite3")


class SmallDisk(SqliteStorage):
    """A store on a disk that has room for a little more."""

    def fill_up(self, spare_pages: int = 0) -> None:
        """From now on only so many pages more fit."""
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        self._db.execute(f"PRAGMA max_page_count = {pages + spare_pages}")


BIG = b"x" * 100_000


def write_record(storage: Storage) -> None:
    """A record that does not fit."""
    storage.put_record("r", BIG)


def write_document(storage: Storage) -> None:
    """A document that does not fit."""
    storage.write(Writes({"a": BIG}, {b"k": "a"}))


def note_request(storage: Storage) -> None:
    """A note that does not fit."""
    storage.put_session_requests([SessionRequest("s", 1, b"", 1, BIG, b"")])


@pytest.mark.parametrize("write", [write_record, write_document, note_request])
def test_a_full_disk_is_a_storage_failure(tmp_path: Path, write: Callable[[Storage], None]) -> None:
    """Whatever was to be written; after the rollback all is as before, and reading goes on."""
    storage = SmallDisk(tmp_path / "data.sqlite3")
    storage.begin()
    storage.put_record("before", b"1")
    storage.commit()
    storage.fill_up()
    storage.begin()
    with pytest.raises(StorageFailure, match="full"):
        write(storage)
    storage.rollback()
    found = [storage.record("before"), storage.record("r"), storage.document("a")]
    storage.close()
    assert found == [b"1", None, None]


def test_a_batch_on_a_full_disk_is_lost_as_a_whole(tmp_path: Path) -> None:
    """A commit of several write sets keeps none of them, and the log's time stays."""
    storage = SmallDisk(tmp_path / "data.sqlite3")
    log = CommitLog(Database(storage, VirtualClock(), Limits()))
    before = log.last_ts
    storage.fill_up(spare_pages=2)
    log.apply(WriteSet(Writes({"small": b"1"}, {b"k": "small"})))
    with pytest.raises(StorageFailure):
        log.apply(WriteSet(Writes({"big": BIG}, {b"l": "big"})))
    log.abort()
    found = storage.document("small"), storage.document("big")
    storage.close()
    assert (found, log.last_ts, log.open) == ((None, None), before, None)


def test_the_file_is_in_wal_mode_and_synced_fully(tmp_path: Path) -> None:
    """What durability rests on is set, not hoped for."""
    file = tmp_path / "data.sqlite3"
    storage = SqliteStorage(file)
    mode = storage._db.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = storage._db.execute("PRAGMA synchronous").fetchone()[0]
    storage.close()
    assert (mode, synchronous) == ("wal", 2)
    with sqlite3.connect(file) as plain:
        assert plain.execute("SELECT count(*) FROM documents").fetchone() == (0,)
    plain.close()
