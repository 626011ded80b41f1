"""Files: with the official client, in an object store, across kills, of any size."""

import hashlib
import http.client
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from tests.headwater.projects import FILES, write_project
from tests.scenarios.conftest import OpenClient
from tests.scenarios.server_process import DEADLINE_S, ServerProcess, wait_for

Serve = Callable[..., ServerProcess]
MIB = 2**20


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a server of this test's own, which it may kill."""
    with ExitStack() as stack:

        def start(**limits: str) -> ServerProcess:
            process = made(tmp_path, limits)
            stack.callback(process.end)
            return process.start()

        yield start


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server for all tests that leave it as it was, but for a few files."""
    process = made(tmp_path_factory.mktemp("files"), {})
    try:
        yield process.start()
    finally:
        process.end()


def made(folder: Path, limits: dict[str, str]) -> ServerProcess:
    """A project with files, not served yet."""
    project = write_project(folder / "project", files=FILES)
    return ServerProcess(folder, project=project, limits=limits)


def blobs(server: ServerProcess) -> list[str]:
    """The files in the deployment's folder, whole and temporary."""
    return sorted(file.name for file in (server.project / ".headwater/files").iterdir())


def marks(server: ServerProcess) -> list[str]:
    """The marks of what is not settled."""
    return [file.name for file in (server.project / ".headwater/files_unsettled").iterdir()]


def upload(server: ServerProcess, content: Any, **headers: str) -> str:
    """Sends a file; gives its id."""
    url = server.call("mutation", "files:uploadUrl")
    answer = httpx.post(url, content=content, headers=headers, timeout=DEADLINE_S)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["storageId"])


def url_of(server: ServerProcess, file: str) -> str:
    """Where a file is given."""
    return str(server.call("query", "files:url", file=file))


class Halfway:
    """An upload that has sent so much, and waits."""

    def __init__(self, server: ServerProcess, sent: int, announced: int) -> None:
        url = urlsplit(server.call("mutation", "files:uploadUrl"))
        self.connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=20)
        self.connection.putrequest("POST", f"{url.path}?{url.query}")
        self.connection.putheader("Content-Length", str(announced))
        self.connection.endheaders()
        self.connection.send(b"x" * sent)

    def __enter__(self) -> "Halfway":
        """The upload as it is."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Cuts the connection, as a tab that is closed."""
        self.connection.close()


def test_a_page_uploads_and_shows_a_file(server: ServerProcess, open_client: OpenClient) -> None:
    """With npm's ConvexClient: URL, POST, a mutation that keeps it, a live query, GET, delete."""
    client = open_client("browser", server)
    shown = client.subscribe("files:urls")
    url = client.call("mutation", "files:uploadUrl")
    sent = client.result(client.send("upload", url=url, text="grüße", type="text/plain"))
    client.call("mutation", "files:keep", file=sent["storageId"])
    [address] = shown.sees(lambda urls: len(urls) == 1)
    got = client.result(client.send("download", url=address))
    assert got == {"status": 200, "type": "text/plain", "text": "grüße"}
    client.call("mutation", "files:drop", file=sent["storageId"])
    shown.equals([None])
    assert client.result(client.send("download", url=address))["status"] == 404


def test_the_bytes_of_a_deleted_file_go(server: ServerProcess) -> None:
    """Soon after the commit, by themselves; those of another file stay."""
    first, second = upload(server, b"first"), upload(server, b"second")
    names = [url_of(server, file).rpartition("/")[2] for file in (first, second)]
    server.call("mutation", "files:drop", file=first)
    wait_for(lambda: names[0] not in blobs(server) and not marks(server), "the bytes are gone")
    assert names[1] in blobs(server)


def test_who_leaves_in_the_middle_leaves_nothing(server: ServerProcess) -> None:
    """A closed tab: its temporary file goes, no row is made, the server goes on."""
    before, count = blobs(server), server.call("query", "files:count")
    with Halfway(server, 5 * MIB, 10 * MIB):
        wait_for(lambda: any("#" in name for name in blobs(server)), "the upload is on the disk")
    wait_for(lambda: blobs(server) == before and not marks(server), "what it sent is gone")
    assert server.call("query", "files:count") == count
    assert httpx.get(url_of(server, upload(server, b"next"))).content == b"next"


def test_a_huge_announcement_is_refused_at_once(server: ServerProcess) -> None:
    """Before a byte of it came; the next request is served."""
    with Halfway(server, 0, 10**15) as halfway:
        answer = halfway.connection.getresponse()
        assert (answer.status, b"FileTooLarge" in answer.read()) == (413, True)
    assert httpx.get(url_of(server, upload(server, b"next"))).content == b"next"


def test_kill_in_the_middle_of_uploads(serve: Serve) -> None:
    """What was acknowledged is there; of what was not, nothing is, neither rows nor bytes.

    Nor is a file whose bytes were whole when the server was killed, and whose row was not.
    """
    server = serve()
    kept = [upload(server, f"kept {number}".encode() * MIB) for number in range(3)]
    before = blobs(server)
    with ExitStack() as stack:
        for size in (1, 3 * MIB, 9 * MIB):
            stack.enter_context(Halfway(server, size, 20 * MIB))
        wait_for(lambda: sum("#" in name for name in blobs(server)) == 2, "two are on the disk")
        wait_for(lambda: len(marks(server)) == 3, "all three are marked")
        server.kill()
    (server.project / ".headwater/files" / marks(server)[0]).write_bytes(b"whole")
    server.start()
    wait_for(lambda: blobs(server) == before and not marks(server), "only whole files are left")
    assert server.call("query", "files:count") == 3
    for number, file in enumerate(kept):
        assert httpx.get(url_of(server, file)).content == f"kept {number}".encode() * MIB


# memory


def pieces(mebibytes: int) -> Iterator[bytes]:
    """Content that is never whole in this process."""
    for number in range(mebibytes * 16):
        yield number.to_bytes(4, "big") * 2**14


def memory(server: ServerProcess) -> int:
    """The most memory the server ever held, in MiB."""
    status = Path(f"/proc/{server.serving_pid()}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def test_a_slow_reader_holds_no_file_in_memory(server: ServerProcess) -> None:
    """Who takes nothing of a large file costs what lies in buffers, not the file."""
    url = url_of(server, upload(server, pieces(48)))
    address = urlsplit(url)
    before = memory(server)
    with ExitStack() as stack:
        for _ in range(4):
            reader = socket.create_connection((str(address.hostname), address.port))
            stack.enter_context(reader)
            reader.sendall(f"GET {address.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert reader.recv(20).startswith(b"HTTP/1.1 200")
        assert len(httpx.get(url).content) == 48 * MIB  # time enough to read all five
        assert memory(server) - before < 32


@pytest.mark.parametrize(
    "mebibytes", [pytest.param(48), pytest.param(1024, marks=pytest.mark.prove)]
)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_stays_flat(server: ServerProcess, mebibytes: int) -> None:
    """A file goes to the disk, comes back and is read by an action, hardly seen by memory."""
    httpx.get(url_of(server, upload(server, pieces(4))))  # what is loaded once
    before = memory(server)
    file = upload(server, pieces(mebibytes))
    got = hashlib.sha256()
    with httpx.stream("GET", url_of(server, file)) as answer:
        for chunk in answer.iter_bytes():
            got.update(chunk)
    sizes = server.call("action", "files:readInPieces", file=file)
    assert sizes == [mebibytes * MIB] * 2
    assert server.call("query", "files:metadata", file=file)["sha256"] == got.hexdigest()
    assert memory(server) - before < 32


# an object store


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    """A bucket of an S3 server of this machine, which new processes reach by the environment."""
    started = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    variables = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    try:
        httpx.put(f"http://{host}:{port}/files").raise_for_status()
        yield S3Store("files")
    finally:
        started.stop()


def in_bucket(bucket: S3Store) -> list[str]:
    """The names of all objects."""
    return [meta["path"] for listed in obstore.list(bucket) for meta in listed]


def unfinished() -> int:
    """How many multipart uploads are open."""
    text = httpx.get(f"{os.environ['AWS_ENDPOINT_URL']}/files?uploads").text
    return text.count("<UploadId>")


def test_files_in_an_object_store(serve: Serve, bucket: S3Store) -> None:
    """The same from the outside: small and large, ranges, deletion, an upload that breaks off."""
    obstore.put(bucket, "projects/theirs", b"not ours")
    server = serve(files_url="s3://files/projects/headwater")
    content = b"".join(pieces(20))
    small, large = upload(server, b"hello"), upload(server, content)
    names = [urlsplit(url_of(server, file)).path.rpartition("/")[2] for file in (small, large)]
    expected = {f"projects/headwater/{name}" for name in names}
    assert set(in_bucket(bucket)) == expected | {"projects/theirs"}
    assert httpx.get(url_of(server, small)).content == b"hello"
    part = httpx.get(url_of(server, large), headers={"Range": "bytes=9000000-9000099"})
    assert (part.status_code, part.content) == (206, content[9_000_000:9_000_100])
    assert httpx.get(url_of(server, large)).content == content
    server.call("mutation", "files:drop", file=large)
    wait_for(lambda: len(in_bucket(bucket)) == 2, "its bytes are gone")
    with Halfway(server, 10 * MIB, 30 * MIB):
        wait_for(lambda: unfinished() == 1, "a multipart upload was begun")
    wait_for(lambda: unfinished() == 0, "and was aborted")
    assert len(in_bucket(bucket)) == 2
    the_bucket_goes(server, bucket)


def the_bucket_goes(server: ServerProcess, bucket: S3Store) -> None:
    """An upload is told to try again, the reason is in the server's log, no row is made."""
    count = server.call("query", "files:count")
    obstore.delete(bucket, in_bucket(bucket))
    httpx.delete(f"{os.environ['AWS_ENDPOINT_URL']}/files").raise_for_status()
    url = server.call("mutation", "files:uploadUrl")
    answer = httpx.post(url, content=b"x", timeout=DEADLINE_S)
    assert (answer.status_code, answer.json()["code"]) == (503, "FileStorageUnavailable")
    assert server.call("query", "files:count") == count
    assert "the file was not stored" in server.said()
