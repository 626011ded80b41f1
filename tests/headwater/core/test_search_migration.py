"""Search indexes that come and go while documents stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from headwater.clock import VirtualClock
from headwater.core.database import Database
from headwater.core.keys import POSTING
from headwater.core.manifest import Manifest, SearchIndexSpec, TableSpec
from headwater.core.migration import adopt, documents
from headwater.core.requests import Delete, Insert, Patch, Scan, Search
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.validators import Field, Object, String
from headwater.errors import IndexStaged, QueryInvalid, SchemaMismatch
from headwater.settings import Limits
from tests.headwater.core.stores import TASKS, Store
from tests.headwater.core.test_changeover import World

FIND = SearchIndexSpec("find", "title", ("rank",))


def searched(*searches: SearchIndexSpec) -> TableSpec:
    """Tasks with these search indexes."""
    return replace(TASKS, search_indexes=searches)


def serving(*searches: SearchIndexSpec) -> Manifest:
    """A backend of such tasks."""
    return Manifest({"tasks": searched(*searches)})


def postings(database: Database) -> dict[bytes, str]:
    """All there are in the storage."""
    return dict(database.storage.scan(POSTING, POSTING + b"\xff", False, 10**6))


def expected(database: Database) -> dict[bytes, str]:
    """What the search index in force should hold."""
    index = database.catalog.tables["tasks"].indexes["find"]
    return {
        key: stored.id
        for stored in documents(database, "tasks")
        for key in index.keys(stored.value)
    }


def found(store: Store, text: str) -> list[str]:
    """The titles a search finds."""
    batch = store.begin(writable=False).answer(Scan(Search("tasks", "find", text=text), None))
    return [stored.value["title"] for stored in batch.documents]


@pytest.fixture
def store() -> Store:
    """Three tasks, and no search index."""
    made = Store()
    for title in ("buy milk", "buy bread", "sleep"):
        made.insert(title)
    return made


def test_a_new_search_index_finds_documents_that_were_there(store: Store) -> None:
    """And those that come afterwards."""
    adopt(store.database, serving(FIND))
    assert found(store, "buy") == ["buy bread", "buy milk"]
    store.insert("buy honey")
    assert found(store, "buy")[0] == "buy honey"


def test_a_search_index_that_is_gone_leaves_nothing(store: Store) -> None:
    """No posting of it stays, and writes make none."""
    adopt(store.database, serving(FIND))
    assert len(postings(store.database)) == 2 * 5
    adopt(store.database, serving())
    store.insert("more words")
    assert postings(store.database) == {}
    with pytest.raises(QueryInvalid, match="no search index `find`"):
        found(store, "words")


def test_a_changed_search_index_is_built_anew(store: Store) -> None:
    """Also one that takes the name of an ordinary index, and the other way round."""
    adopt(store.database, serving(FIND))
    adopt(store.database, serving(replace(FIND, filters=())))
    assert len(postings(store.database)) == 5
    assert found(store, "sleep") == ["sleep"]
    by_title = replace(FIND, name="by_title")
    table = replace(TASKS, indexes=TASKS.indexes[1:], search_indexes=(by_title,))
    adopt(store.database, Manifest({"tasks": table}))
    assert len(postings(store.database)) == 10
    adopt(store.database, serving())
    assert postings(store.database) == {}
    assert store.titles() == ["buy milk", "buy bread", "sleep"]


def test_a_schema_that_does_not_fit_changes_no_search_index(store: Store) -> None:
    """The old one goes on serving."""
    adopt(store.database, serving(FIND))
    shape = Object({"title": Field(String()), "owner": Field(String())})
    wrong = Manifest({"tasks": replace(TASKS, document=shape, search_indexes=())})
    with pytest.raises(SchemaMismatch):
        adopt(store.database, wrong)
    store.insert("sleep well")
    assert len(found(store, "sleep")) == 2


def test_a_restart_builds_no_search_index_anew(tmp_path: Path) -> None:
    """The catalog remembers what it holds."""
    path = tmp_path / "data.sqlite"
    database = Database(SqliteStorage(path), VirtualClock(), Limits())
    adopt(database, serving(FIND))
    before = database.catalog.tables["tasks"].indexes
    database.storage.close()
    again = Database(SqliteStorage(path), VirtualClock(), Limits())
    adopt(again, serving(FIND))
    assert again.catalog.tables["tasks"].indexes == before
    assert not again.catalog.changed
    again.storage.close()


def test_a_large_table_is_searched_once_its_index_is_filled() -> None:
    """While it is filled others write; it is exact in the end."""
    world = World()
    (waits,) = world.propose(searched(FIND))
    assert waits.wait == "index tasks.find being filled"
    world.changeover.step()
    world.write(
        Patch(world.ids[0], {"title": "another"}, []),
        Patch(world.ids[-1], {"rank": 78.0}, []),
        Delete(world.ids[1]),
        Insert("tasks", {"title": "new words"}),
    )
    world.finish()
    assert postings(world.database) == expected(world.database)
    assert found(world.store, "another") == ["another"]


def test_a_staged_search_index_is_built_and_not_served(store: Store) -> None:
    """Until it is staged no longer: then it is there at once."""
    adopt(store.database, serving(replace(FIND, staged=True)))
    assert postings(store.database) == expected(store.database)
    with pytest.raises(IndexStaged, match=r"tasks\.find is currently staged"):
        found(store, "buy")
    adopt(store.database, serving(FIND))
    assert len(found(store, "buy")) == 2
