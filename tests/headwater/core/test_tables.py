"""Tables on the handler's side: documents as the objects their classes promise."""

from __future__ import annotations

from typing import Any

import pytest

from headwater import Document, Id, Index, MutationCtx, QueryCtx, mutation, query
from headwater.core.codecs import Codecs
from headwater.core.documents import Stored
from headwater.core.tables import Table, Tables
from headwater.errors import RegistrationError
from tests.headwater.core.things import backend_of


class Flat(Document, table="flat"):
    """Fields that cannot be changed in place."""

    title: str
    due_day: int | None = None
    by_due = Index("due_day", "title")


class Deep(Document, table="deep"):
    """A field that can."""

    tags: list[str]


FLAT, DEEP = (Table(cls, Codecs()) for cls in (Flat, Deep))
SYSTEM = {"_id": "x", "_creationTime": 1.0}


def stored(table: str, **fields: Any) -> Stored:
    """A stored document."""
    return Stored.of(table, {**fields, **SYSTEM})


def test_a_flat_document_is_built_once() -> None:
    """It cannot be changed, so every call may share it."""
    version = stored("flat", title="a", dueDay=3.0)
    model = FLAT.model(version)
    assert (model.title, model.due_day, model.id, model.creation_time) == ("a", 3, "x", 1.0)
    assert FLAT.model(version) is model


def test_a_deep_document_is_the_reader_s_own() -> None:
    """Changing it in place changes nobody else's."""
    version = stored("deep", tags=["a"])
    DEEP.model(version).tags.append("mine")
    assert DEEP.model(version).tags == ["a"]
    assert version.value["tags"] == ["a"]


def test_indexes_have_wire_names() -> None:
    """Fields are camelCase there; the index's own name stays."""
    (spec,) = FLAT.spec.indexes
    assert (spec.name, spec.fields) == ("by_due", ("dueDay", "title"))


@pytest.mark.parametrize(
    ("index", "field", "message"),
    [
        ("by_x", "colour", "no field `colour` to index; fields: title"),
        ("by_x", "creation_time", "no field `creation_time` to index"),
        ("by_id", "title", "this index is built in"),
    ],
)
def test_an_index_of_nothing_is_refused(index: str, field: str, message: str) -> None:
    """A field the table has not, a system field, a name that is taken."""
    body = {"__module__": __name__, "__annotations__": {"title": str}, index: Index(field)}
    cls = type("Wrong", (Document,), body, table="wrong")
    with pytest.raises(RegistrationError, match=message):
        Table(cls, Codecs())


def test_a_class_is_known_by_its_table_s_name() -> None:
    """A class of another load of the backend will do; one of no table will not."""
    tables = Tables([FLAT])
    twin = type("Flat", (Document,), {"__module__": __name__}, table="flat")
    assert tables.of(twin) is FLAT
    with pytest.raises(RegistrationError, match="Deep is no table of this backend; tables: Flat"):
        tables.of(Deep)


def test_an_undeclared_document_is_a_dict() -> None:
    """Under wire names, the reader's own."""
    version = stored("notes", text="a")
    assert Tables().load(version) == {"text": "a", **SYSTEM}


@mutation
async def add(ctx: MutationCtx) -> Id[Deep]:
    """A document with a list."""
    return await ctx.db.insert(Deep(tags=["a"]))


@query
async def spoil(ctx: QueryCtx) -> None:
    """Changes everything it can lay hands on."""
    (deep,) = await ctx.db.query(Deep).collect()
    deep.tags.append("typed")
    (named,) = await ctx.db.query("deep").collect()
    named["tags"].append("named")
    one = await ctx.db.get("deep", deep.id)
    assert one is not None
    one["tags"].append("got")


@query
async def see(ctx: QueryCtx) -> list[str]:
    """The list as it is."""
    (deep,) = await ctx.db.query(Deep).collect()
    return deep.tags


def test_a_query_changes_nothing_for_others() -> None:
    """What it did to the objects it was given is gone with it."""
    backend = backend_of(Deep, add, spoil, see)
    backend.mutation(add)
    backend.query(spoil)
    assert backend.query(see) == ["a"]
