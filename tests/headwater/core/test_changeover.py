"""A new backend for large tables: the one before serves until all is ready."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from headwater.core.calls import AnswerOne, Frame
from headwater.core.catalog import Catalog
from headwater.core.changeover import Changeover
from headwater.core.database import Database
from headwater.core.keys import entry_key, index_prefix, successor
from headwater.core.manifest import IndexSpec, Manifest, TableSpec
from headwater.core.migration import AT_ONCE, adopt_at_start, documents
from headwater.core.requests import Delete, Insert, Patch, Range
from headwater.core.validators import Field, Literal, Number, Object, String, Union
from headwater.core.walk import PIECE_DOCUMENTS
from headwater.errors import (
    IndexBackfilling,
    IndexStaged,
    SchemaMismatch,
    StorageFailure,
    Superseded,
)
from tests.headwater.core.stores import TASKS, Store

BOTH = IndexSpec("by_both", ("rank", "title"))
MANY = AT_ONCE + 2 * PIECE_DOCUMENTS
NARROW = Object({"title": Field(String()), "rank": Field(Number(True), True)})


class Loaded:
    """A loaded backend, as far as a changeover looks at it."""

    root = None

    def __init__(self, table: TableSpec) -> None:
        self.manifest = Manifest({table.name: table})

    def run(self, frame: Frame, answer: AnswerOne) -> Any:
        """Is never asked to."""

    def attach(self, database: Database) -> None:
        """Takes note of nothing."""


class World:
    """A large table and its changeover."""

    def __init__(self) -> None:
        self.store = Store()
        self.ids = self._inserted(MANY)
        self.changeover = Changeover(self.database)
        self.store.log.notice = self.changeover.notice
        self.replies: list[BaseException | None] = []

    def _inserted(self, many: int) -> list[str]:
        transaction = self.store.begin()
        found = [
            transaction.answer(Insert("tasks", {"title": f"{n % 7}", "rank": float(n % 10)}))
            for n in range(many)
        ]
        self.store.keep(transaction)
        return found

    @property
    def database(self) -> Database:
        """The database, with whatever catalog it has now."""
        return self.store.database

    def propose(self, table: TableSpec) -> list[Any]:
        """A new backend with this table is loaded."""
        return self.changeover.propose(Loaded(table), self.replies.append)

    def write(self, *requests: Any) -> None:
        """A mutation of the backend that serves."""
        transaction = self.store.begin()
        for request in requests:
            transaction.answer(request)
        self.store.keep(transaction)

    def finish(self) -> Any:
        """All that is left to do; gives what ended it."""
        last = None
        while self.changeover.busy:
            progress = self.changeover.step()
            last = progress if progress.reply or progress.serve else last
        return last

    def entries(self, name: str) -> dict[bytes, str]:
        """What an index holds."""
        prefix = index_prefix(self.database.catalog.tables["tasks"].indexes[name].number)
        return dict(self.database.storage.scan(prefix, successor(prefix), False, 10**6))

    def expected(self, name: str) -> dict[bytes, str]:
        """What it should hold."""
        index = self.database.catalog.tables["tasks"].indexes[name]
        return {
            entry_key(index.number, index.fields, stored.value): stored.id
            for stored in documents(self.database, "tasks")
        }


@pytest.fixture
def world() -> World:
    """A large table, served."""
    return World()


def indexed(*indexes: IndexSpec) -> TableSpec:
    """The table of tasks with further indexes."""
    return replace(TASKS, indexes=(*TASKS.indexes, *indexes))


def test_the_old_backend_serves_until_the_new_index_is_filled(world: World) -> None:
    """And the new index is then exact, whatever was written while it was filled."""
    before = world.database.manifest
    (waits,) = world.propose(indexed(BOTH))
    assert waits.wait == "index tasks.by_both being filled"
    world.changeover.step()
    world.write(
        Patch(world.ids[0], {"rank": 77.0}, []),  # covered already
        Patch(world.ids[-1], {"rank": 78.0}, []),  # not yet
        Delete(world.ids[1]),
        Delete(world.ids[-2]),
        Insert("tasks", {"title": "new"}),
    )
    assert world.database.manifest is before
    assert world.finish().serve.manifest is world.database.manifest is not before
    assert world.entries("by_both") == world.expected("by_both")
    assert len(world.entries("by_both")) == MANY - 1


def test_a_killed_server_goes_on_where_it_was(world: World) -> None:
    """The catalog that was saved with each piece says where; nothing is done twice."""
    world.propose(indexed(BOTH))
    for _ in range(3):
        world.changeover.step()
    database = world.database
    database.catalog = Catalog.load(database.storage)  # as another process finds it
    adopt_at_start(database, Manifest({"tasks": indexed(BOTH)}))
    began = len(world.entries("by_both"))
    assert 0 < began < MANY
    world.changeover = Changeover(database)
    pieces = 0
    while world.changeover.busy:
        world.changeover.step()
        pieces += 1
    assert pieces == -(-(MANY - began + 1) // PIECE_DOCUMENTS)
    assert world.entries("by_both") == world.expected("by_both")


def test_a_starting_server_says_how_far_an_index_is(world: World) -> None:
    """There is no backend before it that could serve: who queries the index is told to wait."""
    adopt_at_start(world.database, Manifest({"tasks": indexed(BOTH)}))
    with pytest.raises(IndexBackfilling, match=f"0 of {MANY:,} documents so far"):
        world.store.titles(Range("tasks", "by_both"))
    changeover = Changeover(world.database)
    refreshed = [changeover.step().refresh for _ in range(MANY // PIECE_DOCUMENTS + 1)]
    assert refreshed == [*[False] * (MANY // PIECE_DOCUMENTS), True]
    assert not changeover.busy
    assert world.store.titles(Range("tasks", "by_both", lower=None))[:2] == ["0", "0"]


def test_a_staged_index_is_built_and_not_served(world: World) -> None:
    """The new backend serves at once; taking `staged` away later needs no work."""
    (progress,) = world.propose(indexed(replace(BOTH, staged=True)))
    assert progress.serve is not None
    assert world.changeover.busy
    text = "Index tasks.by_both is currently staged and not available to query until it is enabled"
    with pytest.raises(IndexStaged) as error:
        world.store.titles(Range("tasks", "by_both"))
    assert str(error.value) == text
    world.finish()
    assert world.entries("by_both") == world.expected("by_both")
    (progress,) = world.propose(indexed(BOTH))
    assert progress.serve is not None
    assert len(world.store.titles(Range("tasks", "by_both"))) == MANY


def test_misfits_of_a_large_table_are_reported_and_nothing_changes(world: World) -> None:
    """Also those that the old backend writes while the check goes on, and not those it mends."""
    world.write(Patch(world.ids[0], {"rank": 0.5}, []))
    before = world.database.manifest
    world.propose(replace(TASKS, document=NARROW))
    world.changeover.step()
    world.write(Patch(world.ids[0], {"rank": 1.0}, []), Patch(world.ids[1], {"rank": 1.5}, []))
    progress = world.finish()
    assert isinstance(progress.error, SchemaMismatch)
    assert f"tasks {world.ids[1]}: " in str(progress.error)
    assert "Path: .rank" in str(progress.error)
    assert world.ids[0] not in str(progress.error)
    assert world.database.manifest is before


def test_a_wider_shape_is_served_at_once(world: World) -> None:
    """No document of a large table is looked at for an optional field or a further value."""
    wider = Object(
        {
            "title": Field(Union((String(), Literal(1.0)))),
            "rank": Field(Number(), True),
            "done": Field(String(), True),
        }
    )
    (progress,) = world.propose(replace(TASKS, document=wider))
    assert progress.serve is not None
    assert not world.changeover.busy
    (waits,) = world.propose(replace(TASKS, document=NARROW))
    assert waits.serve is None


def test_a_newer_backend_takes_the_place_of_one_that_waits(world: World) -> None:
    """Who waited is told; what was filled for it is removed when nobody wants it."""
    world.propose(indexed(BOTH))
    world.changeover.step()
    superseded, progress = world.propose(TASKS)
    assert isinstance(superseded.error, Superseded)
    assert progress.serve is not None
    number = world.database.catalog.copy().garbage
    world.finish()
    assert set(world.database.catalog.tables["tasks"].indexes) == {
        *("by_creation_time", "by_title", "by_rank")
    }
    assert world.database.catalog.garbage == []
    assert number == []  # few were filled: gone with the change itself


def test_a_removed_index_of_a_large_table_goes_bit_by_bit(world: World) -> None:
    """It is not there any more at once; its entries are gone when nothing is left to do."""
    numbers = [world.database.catalog.tables["tasks"].indexes[n].number for n in ("by_rank",)]
    world.propose(replace(TASKS, indexes=TASKS.indexes[:1]))
    world.finish()
    for number in numbers:
        prefix = index_prefix(number)
        assert world.database.storage.count(prefix, successor(prefix), 10) == 0


def test_a_disk_that_refuses_ends_the_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader is told, the old backend serves on, and nobody tries for ever."""
    world.propose(indexed(BOTH))

    def refuse(_writes: Any) -> None:
        raise StorageFailure("the disk is full")

    monkeypatch.setattr(world.database.storage, "write", refuse)
    progress = world.changeover.step()
    progress = world.changeover.step() if progress.error is None else progress
    assert isinstance(progress.error, StorageFailure)
    assert not world.changeover.busy
