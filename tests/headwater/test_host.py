"""A trusted host: documents stored and counted without any function of the backend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.core.placement import InProcess
from headwater.errors import DocumentInvalid
from headwater.host import Host, identity_of
from headwater.loader import load
from headwater.settings import Limits

BACKEND = """
from headwater import Document, Id, Index, MutationCtx, QueryCtx, mutation, query

class Book(Document, table="books"):
    title: str
    pages: float
    by_pages = Index("pages")

@query
async def thick(ctx: QueryCtx, least: float) -> list[Book]:
    return await ctx.db.query(Book).with_index("by_pages", pages__gte=least).take(5)

@mutation
async def add(ctx: MutationCtx, title: str) -> Id[Book]:
    identity = await ctx.auth.require_identity()
    return await ctx.db.insert(Book(title=f"{title} of {identity.subject}", pages=1))
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host with handlers in this process."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "books.py").write_text(BACKEND)
    limits = Limits()
    host = Host(InProcess(load(tmp_path), limits), seed=7)
    yield host
    host.close()


def test_a_call_is_made_as_a_client_makes_it(host: Host) -> None:
    """By wire path and wire values, as somebody; what it wrote is there afterwards."""
    ended = host.call("books:add", "mutation", {"title": "Dune"}, identity_of("ana"))
    assert (ended.entered, ended.documents_written) == (True, 1)
    assert [book["title"] for book in host.documents("books")] == ["Dune of ana"]
    assert host.document(ended.value) == host.documents("books")[0]


def test_a_refused_call_was_not_entered(host: Host) -> None:
    """Arguments that do not fit never reach the handler, and the count says so."""
    ended = host.call("books:add", "mutation", {"title": 3}, identity_of("ana"))
    assert (ended.entered, ended.value) == (False, None)
    assert ended.failure is not None
    assert "ArgumentValidationError" in ended.failure.message


def test_reads_are_counted(host: Host) -> None:
    """Documents handed to the handler, not documents in the table."""
    host.insert("books", [{"title": "t", "pages": float(n)} for n in range(100)])
    assert host.call("books:thick", "query", {"least": 97}).documents_read == 3
    assert host.call("books:thick", "query", {"least": 0}).documents_read == 5


def test_more_documents_than_one_transaction_takes_are_stored_in_order(host: Host) -> None:
    """Large fixtures go in batches; each id is given back."""
    ids = host.insert("books", [{"title": str(n), "pages": 1.0} for n in range(4_500)])
    assert len(set(ids)) == len(host.documents("books")) == 4_500


def test_the_host_deletes_documents(host: Host) -> None:
    """Those, and no others: functions read what is left."""
    ids = host.insert("books", [{"title": str(n), "pages": 1.0} for n in range(4)])
    host.delete(ids[1:3])
    assert [book["_id"] for book in host.documents("books")] == [ids[0], ids[3]]
    assert host.call("books:thick", "query", {"least": 0}).documents_read == 2


def test_a_document_that_does_not_fit_is_refused(host: Host) -> None:
    """The table's declaration holds for the host too, and `misfit` says why beforehand."""
    assert host.misfit("books", {"title": "t", "pages": 1}) is None
    assert "pages" in str(host.misfit("books", {"title": "t", "pages": "many"}))
    with pytest.raises(DocumentInvalid):
        host.insert("books", [{"title": "t"}])


def test_stored_bytes_are_those_of_the_encoding(host: Host) -> None:
    """The size of a document is its stored body's; one that is not there has none."""
    (book,) = host.insert("books", [{"title": "x" * 1000, "pages": 1.0}])
    assert 1000 < host.stored_bytes(book) < 1200
    assert host.stored_bytes("nothing") == 0


def test_one_seed_gives_one_database(tmp_path: Path) -> None:
    """Ids and times come from the seed, so a graded run can be made again."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "books.py").write_text(BACKEND)
    found = []
    for _ in range(2):
        host = Host(InProcess(load(tmp_path), Limits()), seed=3)
        host.insert("books", [{"title": "t", "pages": 1.0}])
        found.append(host.documents("books"))
        host.close()
    assert found[0] == found[1]


def test_others_go_on_from_what_a_host_kept(host: Host) -> None:
    """The same documents, time and chance each time; nothing of what was done since, in either."""

    def go_on(with_host: Host) -> list[dict[str, object]]:
        with_host.call("books:add", "mutation", {"title": "Emma"}, identity_of("ana"))
        with_host.insert("books", [{"title": "Dune", "pages": 2.0}])
        with_host.advance(1000)
        return with_host.documents("books")

    host.insert("books", [{"title": str(n), "pages": 1.0} for n in range(2_500)])
    before, kept = host.documents("books"), host.keep()
    assert not kept.free
    wanted = go_on(host)
    host.close()
    for _ in range(2):
        other = Host(host._placement, kept=kept)
        assert (other.documents("books"), kept.free) == (before, False)
        assert go_on(other) == wanted
        assert other.call("books:thick", "query", {"least": 2}).documents_read == 1
        other.close()
        assert kept.free
    fresh = Host(host._placement)
    assert fresh.documents("books") == []
    fresh.close()
