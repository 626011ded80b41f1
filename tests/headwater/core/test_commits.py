"""Commits: write sets with their timestamp, made durable as a group."""

from __future__ import annotations

import pytest

from headwater.clock import VirtualClock
from headwater.core.commits import CommitLog
from headwater.core.database import Database
from headwater.core.requests import Insert
from headwater.core.storage import SessionRequest
from headwater.core.storage.sqlite import SqliteStorage
from headwater.errors import StorageFailure
from headwater.settings import Limits
from tests.headwater.core.stores import Store


def note(ts: int, request_id: int = 1) -> SessionRequest:
    """An applied mutation."""
    return SessionRequest("session", request_id, b"", ts, b"null", b"[]")


def test_each_commit_is_later_than_the_one_before() -> None:
    """Also when the clock stands still."""
    log = Store().log
    times = [log.last_ts]
    for number in range(3):
        log.note_requests([note(1, number)])
        times.append(log.commit().ts)
    assert times == sorted(set(times))
    assert log.last_ts == times[-1]


def test_time_does_not_go_back_with_the_clock() -> None:
    """A database that was opened by a machine whose clock is behind goes on from where it was."""
    storage = SqliteStorage()
    first = CommitLog(Database(storage, VirtualClock(start_ms=2_000_000), Limits()))
    second = CommitLog(Database(storage, VirtualClock(start_ms=1_000_000), Limits()))
    assert second.last_ts == first.last_ts
    assert second.begin().ts == first.last_ts + 1
    second.abort()


def test_a_batch_is_one_commit() -> None:
    """Write sets applied one after another have one timestamp and all their keys."""
    store = Store()
    keys: set[bytes] = set()
    for title in "ab":
        transaction = store.begin()
        transaction.answer(Insert("tasks", {"title": title}))
        write_set = transaction.overlay.write_set()
        store.log.apply(write_set)
        keys |= write_set.keys
    assert store.titles() == ["a", "b"], "later calls of a batch see the earlier ones"
    assert store.log.commit().keys == keys


def test_a_commit_that_fails_keeps_nothing() -> None:
    """Neither documents nor notes nor the timestamp; the next one succeeds."""
    store = Store()
    store.insert("before")
    at = store.log.last_ts

    def fail() -> None:
        raise StorageFailure("the disk is gone")

    clock = store.database.clock
    assert isinstance(clock, VirtualClock)
    clock.faults["commit"] = fail
    store.log.note_requests([note(at)])
    with pytest.raises(StorageFailure):
        store.insert("lost")
    clock.faults.clear()
    assert (store.titles(), store.log.last_ts, store.log.open) == (["before"], at, None)
    assert store.database.storage.session_request("session", 1) is None
    store.insert("after")
    assert store.titles() == ["before", "after"]


def test_notes_are_kept_for_session_request_days() -> None:
    """For exactly as long as the limit says; the first commit of a later day forgets them."""
    store = Store(Limits(session_request_days=2))
    clock = store.database.clock
    assert isinstance(clock, VirtualClock)
    store.log.note_requests([note(clock.now_ns())])
    store.log.commit()
    for days, known in ((2, True), (1, False)):
        clock.advance(days * 86_400_000)
        store.insert("a")
        assert (store.database.storage.session_request("session", 1) is not None) == known
