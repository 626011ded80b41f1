"""Files of one deployment: upload URLs, and bytes that no row names."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from headwater.clock import VirtualClock
from headwater.core import files as core_files
from headwater.core.transaction import Transaction
from headwater.errors import FileStorageFailure, InvalidUploadToken, StorageFailure
from headwater.files import Files
from headwater.settings import Limits
from headwater.testing import Backend
from tests.headwater.projects import FILES, write_project


def of(folder: Path, clock: VirtualClock | None = None) -> Files:
    """The files of a deployment whose state is in a folder."""
    folder.mkdir(exist_ok=True)
    return Files.of(folder, None, clock or VirtualClock(), Limits())


def token(files: Files) -> str:
    """The token of a new upload URL."""
    return files.upload_url(VirtualClock().now_ms()).partition("token=")[2]


def secret(folder: Path) -> str:
    """What the deployment signs with."""
    return (folder / "upload_key").read_text().strip()


def test_a_restart_keeps_upload_urls(tmp_path: Path) -> None:
    """The key is kept, readable by its owner only."""
    made = token(of(tmp_path))
    of(tmp_path).check_token(made)
    assert (tmp_path / "upload_key").stat().st_mode & 0o777 == 0o600


def unsigned(files: Files, folder: Path) -> str:
    """alg=none."""
    return jwt.encode({"aud": "headwater-upload", "exp": 2e9}, "", algorithm="none")


def of_another(files: Files, folder: Path) -> str:
    """Signed by another deployment."""
    return token(of(folder / "other"))


def for_something_else(files: Files, folder: Path) -> str:
    """Signed with the right key, for another purpose."""
    return jwt.encode({"aud": "headwater-dev", "exp": 2e9}, secret(folder), algorithm="HS256")


def for_ever(files: Files, folder: Path) -> str:
    """Signed with the right key, without an end."""
    return jwt.encode({"aud": "headwater-upload"}, secret(folder), algorithm="HS256")


def stretched(files: Files, folder: Path) -> str:
    """Its end changed after it was signed."""
    head, _, signature = token(files).split(".")
    claims = base64.urlsafe_b64encode(b'{"aud":"headwater-upload","exp":9999999999}').decode()
    return f"{head}.{claims.rstrip('=')}.{signature}"


@pytest.mark.parametrize(
    "forged",
    [
        unsigned, of_another, for_something_else, for_ever, stretched,
        lambda *_: "", lambda *_: "x" * 100_000, lambda *_: "a.b.c", lambda *_: "é",
        lambda *_: jwt.encode({"aud": "headwater-upload", "exp": "1"}, "k" * 32),
    ],
)  # fmt: skip
def test_a_forged_token_is_refused(forged: Callable[[Files, Path], str], tmp_path: Path) -> None:
    """Whatever is wrong with it, the answer is the same."""
    files = of(tmp_path)
    with pytest.raises(InvalidUploadToken) as refused:
        files.check_token(forged(files, tmp_path))
    assert refused.value.code == "StorageTokenInvalid"


def test_an_expired_token_is_told_apart(tmp_path: Path) -> None:
    """Who had a right one may ask for another."""
    clock = VirtualClock()
    files = of(tmp_path, clock)
    made = token(files)
    clock.advance(3600 * 1000)
    with pytest.raises(InvalidUploadToken) as refused:
        files.check_token(made)
    assert refused.value.code == "StorageTokenExpired"


# bytes that no row names


class Deployment:
    """A backend whose files are in a folder; `again` is the next process on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backend = Backend.load(write_project(folder, files=FILES))
        self.again()

    def again(self) -> None:
        """The files as a new process finds them."""
        self.files = of(self.folder / "state")
        self.backend._host.engine.database.files = self.files

    async def transact(self, step: Callable[[Transaction], Any]) -> Any:
        """A step of the runtime itself."""
        return self.backend._host.transact(step)

    async def failing(self, step: Callable[[Transaction], Any]) -> Any:
        """The same, when the disk refuses."""
        raise StorageFailure("the disk is full")

    def settle(self) -> None:
        """Removes what no row names."""
        asyncio.run(self.files.settle(self.transact))

    def store(self, transact: core_files.Transact) -> str:
        """Stores a file from outside of functions."""
        return asyncio.run(core_files.store(self.files, transact, _hello()))

    @property
    def blobs(self) -> int:
        """How many files' bytes are there."""
        return len(list((self.folder / "state" / "files").iterdir()))

    @property
    def unsettled(self) -> int:
        """How many files are marked."""
        return len(list((self.folder / "state" / "files_unsettled").iterdir()))


async def _hello() -> AsyncIterator[bytes]:
    yield b"hello"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """One without a file."""
    made = Deployment(tmp_path)
    yield made
    made.files.blobs.close()


def test_a_stored_file_is_settled(deployment: Deployment) -> None:
    """Nothing is left to do, for this process or the next."""
    deployment.store(deployment.transact)
    assert (deployment.blobs, deployment.unsettled) == (1, 0)


def test_the_bytes_follow_a_deleted_row(deployment: Deployment) -> None:
    """And only a deleted one: a deletion that went back keeps them."""
    kept, dropped = (deployment.store(deployment.transact) for _ in range(2))
    deployment.backend.mutation("files:drop", {"file": dropped})
    deployment.backend.mutation("files:dropInPart", {"file": kept})
    assert (deployment.blobs, deployment.unsettled) == (2, 2)
    deployment.settle()
    assert (deployment.blobs, deployment.unsettled) == (1, 0)
    assert deployment.backend.action("files:read", {"file": kept}) == b"hello"


def test_the_next_process_settles_what_was_open(deployment: Deployment) -> None:
    """A deletion that was committed just before the end."""
    file = deployment.store(deployment.transact)
    deployment.backend.mutation("files:drop", {"file": file})
    deployment.again()
    deployment.settle()
    assert (deployment.blobs, deployment.unsettled) == (0, 0)


def test_bytes_whose_row_was_refused_go(deployment: Deployment) -> None:
    """The uploader is told, and nothing stays."""
    with pytest.raises(StorageFailure):
        deployment.store(deployment.failing)
    assert (deployment.blobs, deployment.unsettled) == (1, 1)
    deployment.settle()
    assert (deployment.blobs, deployment.unsettled) == (0, 0)


def test_who_stops_waiting_for_the_row_loses_nothing(deployment: Deployment) -> None:
    """The row is committed though nobody waits for it any more: then its bytes stay."""

    async def committed(step: Callable[[Transaction], Any]) -> Any:
        await deployment.transact(step)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        deployment.store(committed)
    deployment.settle()
    assert (deployment.blobs, deployment.unsettled) == (1, 0)


def test_what_cannot_be_settled_is_tried_again(deployment: Deployment) -> None:
    """A disk that refuses for a while delays it."""
    file = deployment.store(deployment.transact)
    deployment.backend.mutation("files:drop", {"file": file})
    with pytest.raises(StorageFailure):
        asyncio.run(deployment.files.settle(deployment.failing))
    assert (deployment.blobs, deployment.unsettled) == (1, 1)
    deployment.settle()
    assert (deployment.blobs, deployment.unsettled) == (0, 0)


def test_settling_goes_on_by_itself(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    """At the start, then whenever a row goes; what fails is told, and is no end."""
    first, second = (deployment.store(deployment.transact) for _ in range(2))
    deployment.backend.mutation("files:drop", {"file": first})

    async def run() -> None:
        ways = iter([deployment.failing, deployment.transact])
        turns: asyncio.Queue[None] = asyncio.Queue()

        async def transact(step: Callable[[Transaction], Any]) -> Any:
            turns.put_nowait(None)
            return await next(ways)(step)

        keeping = asyncio.create_task(deployment.files.keep_settled(transact))
        await turns.get()
        deployment.backend.mutation("files:drop", {"file": second})
        await turns.get()
        async with asyncio.timeout(10):
            while deployment.unsettled:
                await asyncio.sleep(0)
        keeping.cancel()

    asyncio.run(run())
    assert deployment.blobs == 0
    assert "the disk is full" in caplog.text


def test_a_place_that_is_none_stops_the_start(tmp_path: Path) -> None:
    """With a sentence, before anything is served."""
    with pytest.raises(FileStorageFailure, match="nonsense cannot hold files"):
        Files.of(tmp_path, "nonsense", VirtualClock(), Limits())
