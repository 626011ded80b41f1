"""Search indexes as classes declare them, and what is refused at registration."""

from __future__ import annotations

from typing import Annotated, Any, cast

import pytest
from pydantic import Field

from headwater import Document, Id, Index, Model, SearchIndex
from headwater.core.manifest import Manifest, SearchIndexSpec
from headwater.errors import RegistrationError
from headwater.settings import Limits
from tests.headwater.core.things import app_of


class Body(Model):
    """What a page says."""

    plain_text: str
    length: int = 0


class Page(Document, table="pages"):
    """A page with all kinds of fields."""

    title: Annotated[str, Field(max_length=200)]
    sub_title: str | None = None
    body: Body
    notes: Body | None = None
    owner_id: str
    size: float = 0


def specs_of(**indexes: Any) -> tuple[SearchIndexSpec, ...]:
    """The search indexes of a page that declares these."""
    made = cast("Any", type("Made", (Page,), {**indexes, "__module__": "x"}, table="pages"))
    return app_of(made).manifest.table("pages").search_indexes


def test_search_indexes_are_described_under_wire_names() -> None:
    """Text field and filter fields, nested ones too; manifests carry them."""
    specs = specs_of(
        search_sub=SearchIndex("sub_title", ("owner_id",)),
        search_body=SearchIndex("body.plain_text", filter_fields=["notes.length", "size"]),
        search_notes=SearchIndex("notes.plain_text", staged=True),
    )
    assert specs == (
        SearchIndexSpec("search_sub", "subTitle", ("ownerId",)),
        SearchIndexSpec("search_body", "body.plainText", ("notes.length", "size")),
        SearchIndexSpec("search_notes", "notes.plainText", (), staged=True),
    )
    made = cast(
        "Any", type("Made", (Page,), {"find": SearchIndex("title", staged=True)}, table="pages")
    )
    manifest = app_of(made).manifest
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert "searchIndexes" not in app_of(Page).manifest.to_json()["tables"][0]


@pytest.mark.parametrize(
    ("indexes", "said"),
    [
        ({"find": SearchIndex("titel")}, "no field `titel` to search; did you mean `title`?"),
        ({"find": SearchIndex("id")}, "no field `id` to search"),
        ({"find": SearchIndex("title", ("ownerid",))}, "to filter by; did you mean `owner_id`?"),
        ({"find": SearchIndex("body.plaintext")}, "did you mean `plain_text`? fields: plain_text"),
        ({"find": SearchIndex("title", ("notes.x",))}, "no field `notes.x` to filter by; fields"),
        ({"find": SearchIndex("size")}, "`size` is number; only texts can be searched"),
        ({"find": SearchIndex("body")}, "`body` is object; only texts can be searched"),
        ({"find": SearchIndex("notes.length")}, "`notes.length` is integer; only texts"),
        ({"by_id": SearchIndex("title")}, "an index has this name"),
        ({"by_creation_time": SearchIndex("title")}, "an index has this name"),
        ({f"find_{n}": SearchIndex("title") for n in range(5)}, "5 search indexes, the limit is 4"),
    ],
)
def test_a_search_index_that_cannot_be_is_refused(indexes: dict[str, Any], said: str) -> None:
    """With the place where it is declared and the nearest field there is."""
    with pytest.raises(RegistrationError, match=r"x\.Made|things\.Made") as error:
        specs_of(**indexes)
    assert said in str(error.value)


def test_a_name_is_an_index_or_a_search_index() -> None:
    """Also when one of them comes from a base class."""

    class Base(Document):
        title: str
        find = Index("title")

    class Note(Base, table="notes"):
        find = SearchIndex("title")  # type: ignore[assignment]

    with pytest.raises(RegistrationError, match=r"Note\.find: an index has this name"):
        app_of(Note)


def test_search_indexes_is_a_limit() -> None:
    """Four of one table."""
    assert len(specs_of(**{f"find_{n}": SearchIndex("title") for n in range(4)})) == 4


def test_search_filter_fields_is_a_limit() -> None:
    """Sixteen of one search index; each only once."""
    most = Limits.search_filter_fields
    assert len(SearchIndex("a", [f"f{n}" for n in range(most)]).filter_fields) == most
    with pytest.raises(RegistrationError, match="has 17 filter fields, the limit is 16"):
        SearchIndex("a", [f"f{n}" for n in range(most + 1)])
    with pytest.raises(RegistrationError, match="names the filter field `b` twice"):
        SearchIndex("a", ("b", "c", "b"))


@pytest.mark.parametrize("args", [("a", "b"), (("a", "b"),)])
def test_one_text_field_is_searched(args: tuple[Any, ...]) -> None:
    """Two are refused, and a text that should be a tuple."""
    with pytest.raises(RegistrationError, match=r'SearchIndex\("content", filter_fields='):
        SearchIndex(*args)


def test_ids_and_unions_of_texts_may_be_searched() -> None:
    """Whatever may be a text."""

    class Mixed(Document, table="mixed"):
        either: str | float
        other: Id[Page]
        anything: Any
        one = SearchIndex("either")
        two = SearchIndex("other")
        three = SearchIndex("anything.at.all")

    assert len(app_of(Mixed).manifest.table("mixed").search_indexes) == 3
