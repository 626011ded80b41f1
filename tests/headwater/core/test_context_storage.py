"""`ctx.storage`: files in queries, mutations and actions."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from headwater.core.placement import InProcess
from headwater.errors import FileInvalid, InvalidUploadToken
from headwater.loader import load
from headwater.settings import Limits
from headwater.testing import Backend, FunctionFailed
from tests.headwater.projects import FILES, write_project

SHA256 = hashlib.sha256(b"hello").digest()


@pytest.fixture(scope="module")
def placement(tmp_path_factory: pytest.TempPathFactory) -> InProcess:
    """A project with files, loaded once."""
    return InProcess(load(write_project(tmp_path_factory.mktemp("files"), files=FILES)), Limits())


@pytest.fixture
def backend(placement: InProcess) -> Iterator[Backend]:
    """An empty backend of it."""
    made = Backend(placement)
    yield made
    made.close()


def uploaded(backend: Backend, content: bytes = b"hello", **options: Any) -> str:
    """A file sent as a page sends it."""
    url = backend.mutation("files:uploadUrl", {})
    return backend.upload(url, content, **{"content_type": "image/png", **options})


def test_an_uploaded_file_is_kept_shown_and_given(backend: Backend) -> None:
    """The page's whole way: a URL, the upload, a document that names the file, its URL."""
    file = uploaded(backend)
    shown = backend.subscribe("files:urls", {})
    backend.mutation("files:keep", {"file": file})
    blob = backend.download(shown.value[0])
    assert blob is not None
    assert (blob.content, blob.content_type) == (b"hello", "image/png")


def test_the_url_holds_another_name_than_the_id(backend: Backend) -> None:
    """Who knows an id cannot guess the URL; both names are taken where an id is."""
    file = uploaded(backend)
    url = backend.query("files:url", {"file": file})
    uuid = url.rpartition("/")[2]
    assert file not in url
    assert backend.query("files:url", {"file": uuid}) == url


def test_what_is_known_of_a_file(backend: Backend) -> None:
    """FileMetadata says the hash in hex and the uuid; the row of `_storage` says it in base64."""
    file = uploaded(backend)
    known = backend.query("files:metadata", {"file": file})
    row = backend.query("files:row", {"file": file})
    uuid = backend.query("files:url", {"file": file}).rpartition("/")[2]
    facts = {"size": 5.0, "contentType": "image/png", "storageId": uuid}
    assert known == {**facts, "sha256": SHA256.hex()}
    assert row == {
        **facts, "sha256": base64.b64encode(SHA256).decode(),
        "_id": file, "_creationTime": row["_creationTime"],
    }  # fmt: skip


def test_without_a_content_type(backend: Backend) -> None:
    """It is null in the metadata and absent in the row."""
    file = backend.action("files:make", {"content": b""})
    assert backend.query("files:metadata", {"file": file})["contentType"] is None
    assert "contentType" not in backend.query("files:row", {"file": file})


def test_equal_files_have_ids_of_their_own(backend: Backend) -> None:
    """Deleting one leaves the other."""
    first, second = uploaded(backend), uploaded(backend)
    backend.mutation("files:drop", {"file": first})
    assert backend.action("files:read", {"file": second}) == b"hello"
    assert backend.action("files:read", {"file": first}) is None


def test_a_deletion_reaches_who_follows_the_file(backend: Backend) -> None:
    """get_url and get_metadata are reactive: by id and by uuid."""
    file = uploaded(backend)
    uuid = backend.query("files:url", {"file": file}).rpartition("/")[2]
    followed = [
        backend.subscribe(f"files:{name}", {"file": known})
        for name in ("url", "metadata")
        for known in (file, uuid)
    ]
    assert all(one.value is not None for one in followed)
    backend.mutation("files:drop", {"file": file})
    assert [one.value for one in followed] == [None] * 4


def test_a_deletion_goes_back_with_its_mutation(backend: Backend) -> None:
    """Of a whole mutation, and of a part of one: the file and its bytes stay."""
    file = uploaded(backend)
    with pytest.raises(FunctionFailed, match="after all"):
        backend.mutation("files:dropAndFail", {"file": file})
    assert backend.mutation("files:dropInPart", {"file": file}) is True
    assert backend.action("files:read", {"file": file}) == b"hello"


@pytest.mark.parametrize(
    ("function", "operation"),
    [("url", "getUrl"), ("metadata", "getMetadata"), ("drop", "delete"), ("read", "get")],
)
@pytest.mark.parametrize("bad", ["", "nope", "../../etc/passwd", "x" * 10_000])
def test_a_text_that_is_no_storage_id(
    backend: Backend, function: str, operation: str, bad: str
) -> None:
    """The error is storage's own, names the operation, and repeats no long text."""
    kind = {"drop": backend.mutation, "read": backend.action}.get(function, backend.query)
    with pytest.raises(FunctionFailed) as failed:
        kind(f"files:{function}", {"file": bad})
    assert f"Invalid argument `storageId` for `storage.{operation}`" in str(failed.value)
    assert len(str(failed.value)) < 400


def test_the_id_of_another_table(backend: Backend) -> None:
    """Is no storage id, and no storage id is one of another table."""
    file = uploaded(backend)
    picture = backend.mutation("files:keep", {"file": file})
    with pytest.raises(FunctionFailed, match="it is an id of table `pictures`"):
        backend.query("files:url", {"file": picture})
    for given in (picture, "nope"):
        with pytest.raises(FunctionFailed, match="ArgumentValidationError"):
            backend.mutation("files:keep", {"file": given})


def test_deleting_what_is_not_there(backend: Backend) -> None:
    """Says so, with the id that was given; asking about it gives null."""
    file = uploaded(backend)
    backend.mutation("files:drop", {"file": file})
    missing = "00000000-0000-4000-8000-000000000000"
    for given in (file, missing):
        assert backend.query("files:url", {"file": given}) is None
        with pytest.raises(FunctionFailed, match=f"storage id {given} not found"):
            backend.mutation("files:drop", {"file": given})


def test_storing_and_reading_in_pieces(backend: Backend) -> None:
    """What is longer than a part comes back whole."""
    file = backend.action("files:makeInPieces", {"pieces": 20})
    assert backend.action("files:readInPieces", {"file": file}) == [20 * 2**18, 20 * 2**18]
    content = b"".join(b"%07d\n" % number * 2**15 for number in range(20))
    assert backend.action("files:read", {"file": file}) == content


@pytest.mark.parametrize("pieces", [0, 1, 20])
def test_a_source_that_fails_leaves_nothing(backend: Backend, pieces: int) -> None:
    """Its own error reaches the action; no row names a part of a file."""
    with pytest.raises(FunctionFailed, match="the source dried up"):
        backend.action("files:makeInPieces", {"pieces": pieces, "fails": True})
    assert backend.query("files:count", {}) == 0


def test_a_hash_that_is_promised_is_held_to(backend: Backend) -> None:
    """The right one is taken, another refused, and so is a text that is none."""
    right = base64.b64encode(SHA256).decode()
    assert backend.action("files:make", {"content": b"hello", "sha256": right})
    with pytest.raises(FunctionFailed, match=r"has the SHA-256 LPJNul.* not the one it came with"):
        backend.action("files:make", {"content": b"hello", "sha256": right[::-1][1:] + "="})
    with pytest.raises(FunctionFailed, match="no SHA-256 in base64"):
        backend.action("files:make", {"content": b"hello", "sha256": "LPJNul"})


@pytest.mark.parametrize(
    "bad", ["", "png", "image/png\r\nSet-Cookie: a=b", "a/" + "b" * 300, "a/ü"]
)
def test_a_content_type_that_is_none(backend: Backend, bad: str) -> None:
    """Is refused where it is given: it becomes a header of every download."""
    with pytest.raises(FunctionFailed, match="is no content type"):
        backend.action("files:make", {"content": b"", "contentType": bad})


def test_an_action_does_all_a_mutation_does(backend: Backend) -> None:
    """Each call at once, in a transaction of its own."""
    file = uploaded(backend)
    found = backend.action("files:allInAnAction", {"file": file})
    assert found[0].startswith("http://127.0.0.1:3210/api/storage/")
    assert found[1:] == ["image/png", None]


def test_an_upload_url_lasts_an_hour(backend: Backend) -> None:
    """One second before its end it takes a file, at its end no more."""
    url = backend.mutation("files:uploadUrl", {})
    backend.advance(seconds=3599)
    assert backend.upload(url, b"in time")
    backend.advance(seconds=1)
    with pytest.raises(InvalidUploadToken, match="has expired") as refused:
        backend.upload(url, b"late")
    assert refused.value.code == "StorageTokenExpired"


def test_file_bytes_is_a_limit(placement: InProcess) -> None:
    """A file of exactly the limit is stored, one byte more is not."""
    backend = Backend(placement, limits=Limits(file_bytes=5))
    assert uploaded(backend, b"12345")
    with pytest.raises(FileInvalid, match=r"5 bytes \(HEADWATER_FILE_BYTES\)") as refused:
        uploaded(backend, b"123456")
    assert refused.value.status == 413
