"""Files over HTTP: uploads, downloads, and what is refused."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from headwater.files_http import byte_range
from tests.headwater.projects import FILES
from tests.headwater.served import Served

CONTENT = bytes(range(256)) * 4
SHA256 = hashlib.sha256(CONTENT)
DIGEST = f"sha-256={base64.b64encode(SHA256.digest()).decode()}"


class Site(Served):
    """A served project with files."""

    def __init__(self, root: Path, **limits: Any) -> None:
        super().__init__(root, modules={"files": FILES}, **limits)

    def call(self, kind: str, name: str, **arguments: Any) -> Any:
        """The value a function gives."""
        answer = self.post(f"/api/{kind}", {"path": f"files:{name}", "args": arguments})
        return answer["value"]

    def upload_path(self) -> str:
        """The path and query of a new upload URL."""
        url = urlsplit(self.call("mutation", "uploadUrl"))
        assert f"{url.scheme}://{url.netloc}" == self.files.origin
        return f"{url.path}?{url.query}"

    def upload(self, content: Any = CONTENT, **headers: str) -> httpx.Response:
        """A file sent to a new URL."""
        return self.request("POST", self.upload_path(), content=content, headers=headers)

    def stored(self, **headers: str) -> str:
        """The path of a file that was just uploaded."""
        file = self.upload(**headers).json()["storageId"]
        return str(urlsplit(self.call("query", "url", file=file)).path)

    def get(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """A download."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(method, path, headers=named)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """One without a file."""
    made = Site(tmp_path)
    yield made
    made.close()


def blobs(site: Site) -> int:
    """How many files' bytes are there, whole or not."""
    return len(list((site.options.root / ".headwater" / "files").iterdir()))


# uploads


def test_an_upload_gives_a_storage_id(site: Site) -> None:
    """Which the mutation that keeps it takes."""
    answer = site.upload(**{"Content-Type": "image/png", "Digest": DIGEST})
    assert (answer.status_code, list(answer.json())) == (200, ["storageId"])
    site.call("mutation", "keep", file=answer.json()["storageId"])
    known = site.call("query", "metadata", file=answer.json()["storageId"])
    assert known["contentType"] == "image/png"
    assert (known["sha256"], known["size"]) == (SHA256.hexdigest(), 1024)


@pytest.mark.parametrize(
    ("token", "code"), [("", "StorageTokenInvalid"), ("forged", "StorageTokenInvalid")]
)
def test_an_upload_needs_its_token(site: Site, token: str, code: str) -> None:
    """A URL without one, and one that was changed, take nothing."""
    answer = site.request("POST", f"/api/storage/upload?token={token}", content=CONTENT)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert "generate_upload_url()" in answer.json()["message"]
    changed = site.upload_path()[:-2]
    assert site.request("POST", changed, content=CONTENT).status_code == 401
    assert blobs(site) == 0


def test_an_expired_upload_url_says_so(tmp_path: Path) -> None:
    """So that a page may ask for another."""
    site = Site(tmp_path)
    old = site.files.upload_url(site.hub.engine.database.clock.now_ms() - 3_600_001)
    answer = site.request("POST", old.removeprefix(site.files.origin), content=CONTENT)
    assert (answer.status_code, answer.json()["code"]) == (401, "StorageTokenExpired")
    site.close()


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Digest": f"sha-256={base64.b64encode(b'0' * 32).decode()}"}, "DigestMismatch"),
        ({"Digest": "sha-256=xyz"}, "BadDigest"),
        ({"Digest": "md5=abcd"}, "BadDigest"),
        ({"Content-Type": "nonsense"}, "BadContentType"),
        ({"Content-Type": "text/html" + "x" * 300}, "BadContentType"),
    ],
)
def test_an_upload_that_is_not_what_it_says(site: Site, headers: dict[str, str], code: str) -> None:
    """400 with a code, and nothing is kept."""
    answer = site.upload(**headers)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (blobs(site), site.call("query", "count")) == (0, 0.0)


@pytest.mark.parametrize("announced", [True, False])
def test_file_bytes_is_a_limit_of_uploads(tmp_path: Path, announced: bool) -> None:
    """Exactly so many are taken; one more is refused, be it announced or only noticed."""

    async def streamed(size: int) -> AsyncIterator[bytes]:
        yield b"x" * size

    def content(size: int) -> Any:
        return b"x" * size if announced else streamed(size)

    site = Site(tmp_path, file_bytes=2_000_000)
    assert site.upload(content(2_000_000)).status_code == 200
    refused = site.upload(content(2_000_001))
    assert (refused.status_code, refused.json()["code"]) == (413, "FileTooLarge")
    assert blobs(site) == 1
    site.close()


def test_uploads_at_once_is_a_limit(tmp_path: Path) -> None:
    """So many are taken together; one more is told to try again."""
    site = Site(tmp_path, uploads_at_once=2)

    async def run() -> list[int]:
        turn = asyncio.Event()
        paths = [site.files.upload_url(site.hub.engine.database.clock.now_ms())] * 3
        transport = httpx.ASGITransport(site.asgi())

        async def slow() -> AsyncIterator[bytes]:
            yield b"x"
            await turn.wait()

        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            sent = [
                asyncio.create_task(http.post(path.removeprefix(site.files.origin), content=slow()))
                for path in paths
            ]
            refused, _ = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
            turn.set()
            answers = [await one for one in sent]
            assert [one.result().json()["code"] for one in refused] == ["TooManyConcurrentUploads"]
        return sorted(answer.status_code for answer in answers)

    assert asyncio.run(run()) == [200, 200, 503]
    site.close()


def test_upload_idle_s_is_a_limit(tmp_path: Path) -> None:
    """Who sends nothing for so long is told, and what came is dropped."""
    site = Site(tmp_path, upload_idle_s=0.05)

    async def stuck() -> AsyncIterator[bytes]:
        yield b"x" * 3_000_000
        await asyncio.Event().wait()

    answer = site.upload(stuck())
    assert (answer.status_code, answer.json()["code"]) == (408, "UploadTimedOut")
    assert blobs(site) == 0
    site.close()


def test_a_page_of_an_allowed_origin_may_upload(site: Site) -> None:
    """With its preflight, as for the API."""
    origin = {"Origin": "http://localhost:5173"}
    asked = {**origin, "Access-Control-Request-Headers": "content-type,digest"}
    preflight = site.request("OPTIONS", site.upload_path(), headers=asked)
    assert preflight.headers["access-control-allow-headers"] == "content-type,digest"
    answer = site.upload(**origin)
    assert answer.headers["access-control-allow-origin"] == origin["Origin"]
    assert site.upload(Origin="https://evil.example").status_code == 403


# downloads


def test_a_download_says_what_it_is(site: Site) -> None:
    """Type, length, hash; that ranges may be asked for; that only its reader may keep it."""
    answer = site.get(site.stored(**{"Content-Type": "image/png"}))
    assert (answer.status_code, answer.content) == (200, CONTENT)
    expected = {
        "content-type": "image/png",
        "content-length": "1024",
        "digest": DIGEST,
        "etag": f'"{SHA256.hexdigest()}"',
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=2592000",
        "x-content-type-options": "nosniff",
    }
    assert expected.items() <= dict(answer.headers).items()


def test_a_head_has_the_headers_alone(site: Site) -> None:
    """The same ones, of a range too."""
    path = site.stored()
    for headers in ({}, {"Range": "bytes=1-9"}):
        head, got = (site.get(path, method, **headers) for method in ("HEAD", "GET"))
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert dict(head.headers) == dict(got.headers)


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/xml", "image/png"])
def test_an_upload_runs_no_scripts_here(site: Site, kind: str) -> None:
    """It is on the API's own origin, so it is put in a sandbox without scripts."""
    policy = site.get(site.stored(**{"Content-Type": kind})).headers["content-security-policy"]
    assert "sandbox" in policy.split("; ")
    assert "allow-scripts" not in policy


def test_a_file_without_a_type_is_bytes(site: Site) -> None:
    """A browser that is told nothing would guess."""
    path = urlsplit(
        site.call("query", "url", file=site.call("action", "make", content={"$bytes": ""}))
    ).path
    answer = site.get(path)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert (answer.headers["content-length"], answer.content) == ("0", b"")


SIZE = 1024
RANGES = [
    ("bytes=0-0", 206, (0, 1)),
    ("bytes=0-1023", 206, (0, 1024)),
    ("bytes=10-19", 206, (10, 20)),
    ("bytes=1000-", 206, (1000, 1024)),
    ("bytes=1000-99999", 206, (1000, 1024)),
    ("bytes=-24", 206, (1000, 1024)),
    ("bytes=-99999", 206, (0, 1024)),
    ("bytes=1024-", 416, None),
    ("bytes=99999-100000", 416, None),
    ("bytes=-0", 416, None),
    ("bytes=0-1,5-6", 416, None),
    ("bytes=,", 416, None),
    ("bytes=9-3", 200, (0, 1024)),
    ("bytes=-", 200, (0, 1024)),
    ("bytes=a-b", 200, (0, 1024)),
    ("bytes=" + "9" * 5000 + "-", 200, (0, 1024)),
    ("lines=1-2", 200, (0, 1024)),
    ("nonsense", 200, (0, 1024)),
]


@pytest.mark.parametrize(("header", "status", "part"), RANGES, ids=lambda v: str(v)[:20])
def test_a_range(site: Site, header: str, status: int, part: tuple[int, int] | None) -> None:
    """One is given, several are not, and what is no range is passed over."""
    answer = site.get(site.stored(), Range=header)
    assert answer.status_code == status
    if part is None:
        assert answer.json()["code"] == "RangeNotSatisfiable"
        assert answer.headers["content-range"] == "bytes */1024"
    else:
        assert answer.content == CONTENT[slice(*part)]
        assert answer.headers["content-length"] == str(part[1] - part[0])
    if status == 206 and part is not None:
        assert answer.headers["content-range"] == f"bytes {part[0]}-{part[1] - 1}/1024"


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-1", "bytes=0-0"])
def test_an_empty_file_has_no_range(header: str) -> None:
    """Not one byte of it can be given."""
    assert byte_range(header, 0) is None


def test_who_has_it_is_sent_nothing(site: Site) -> None:
    """304 for the same tag, whatever else is in the list; the whole file for another."""
    path, etag = site.stored(), f'"{SHA256.hexdigest()}"'
    for known in (etag, f'"x", W/{etag}', "*"):
        answer = site.get(path, If_None_Match=known)
        assert (answer.status_code, answer.content) == (304, b"")
    assert site.get(path, If_None_Match='"x"').status_code == 200


def test_a_range_of_another_version_is_the_whole(site: Site) -> None:
    """If-Range: who goes on with a file must have the same one."""
    path = site.stored()
    same = site.get(path, Range="bytes=5-", If_Range=f'"{SHA256.hexdigest()}"')
    other = site.get(path, Range="bytes=5-", If_Range='"x"')
    assert (same.status_code, other.status_code) == (206, 200)


def test_a_deleted_file_is_not_found(site: Site) -> None:
    """From the commit on, though its bytes may still be there."""
    file = site.upload().json()["storageId"]
    path = urlsplit(site.call("query", "url", file=file)).path
    site.call("mutation", "drop", file=file)
    answer = site.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "FileNotFound")


def test_a_row_without_bytes_is_not_found(site: Site) -> None:
    """When somebody cleared the folder: an answer, no broken download."""
    path = site.stored()
    (site.options.root / ".headwater/files" / path.rpartition("/")[2]).unlink()
    answer = site.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "FileNotFound")


TRICKS = [
    "..%2f..%2fadmin_key",
    "%2e%2e/%2e%2e/admin_key",
    "../upload_key",
    "....//upload_key",
    "%00",
    "00000000-0000-4000-8000-000000000000",
    "00000000-0000-4000-8000-000000000000%00",
    "00000000-0000-4000-8000-000000000000%0a",
    "00000000-0000-4000-8000-000000000000/../../upload_key",
    "00000000-0000-4000-8000-000000000000%231",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "C:%5cWindows",
    "x" * 60_000,
    "%F0%9F%92%A3",
    "",
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", TRICKS, ids=lambda name: name[:40])
def test_a_path_trick_finds_nothing(
    site: Site, name: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no name that is no known uuid comes near the disk."""
    asked: list[str] = []
    monkeypatch.setattr(site.files.blobs, "read", lambda name, *_: asked.append(name))
    answer = site.get(f"/api/storage/{name}", method)
    assert answer.status_code in (400, 404)
    assert asked == []


def test_the_storage_id_is_no_address(site: Site) -> None:
    """Knowing an id does not give the file."""
    file = site.upload().json()["storageId"]
    assert site.get(f"/api/storage/{quote(file)}").status_code == 404
    uuid = urlsplit(site.call("query", "url", file=file)).path.rpartition("/")[2]
    assert site.get(f"/api/storage/{uuid.upper()}").status_code == 404


def test_other_methods_are_not_allowed(site: Site) -> None:
    """Files are deleted by mutations."""
    path = site.stored()
    assert site.get(path, "DELETE").status_code == 405
    assert site.get(path, "PUT").status_code == 405
    assert site.get("/api/storage/upload").status_code in (404, 405)
