"""Actions in another process: they ask several things at once, and are believed in nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from headwater.errors import AppError
from headwater.pipe import Process, WorkerLimits
from headwater.testing import Backend, FunctionFailed
from headwater.worker_placement import WorkerPlacement
from tests.headwater.test_worker import end, launch

NOTES = """
import asyncio, os
from collections.abc import AsyncIterator
from headwater import (
    ActionCtx, AppError, Document, Id, MutationCtx, QueryCtx, action, internal_action,
    internal_mutation, mutation, query
)
from headwater.core.system import StoredFile
from headwater.errors import FileMissing
from backend.schema import Note

@internal_mutation
async def write(ctx: MutationCtx, text: str) -> Id[Note]:
    if text == "":
        raise AppError({"code": "EMPTY"})
    return await ctx.db.insert(Note(text=text, at=ctx.now))

@query
async def texts(ctx: QueryCtx) -> list[str]:
    return [note.text async for note in ctx.db.query(Note)]

@internal_action
async def shout(ctx: ActionCtx, text: str) -> str:
    await ctx.run_mutation(write, text=text.upper())
    return text.upper()

@action
async def write_all(ctx: ActionCtx, words: list[str]) -> int:
    print("writing", len(words))
    await asyncio.gather(*(ctx.run_mutation(write, text=word) for word in words))
    return len(await ctx.run_query(texts))

@action
async def pass_on(ctx: ActionCtx, text: str) -> str:
    first, second = await asyncio.gather(
        ctx.run_action(shout, text=text), ctx.run_action(shout, text=text * 2)
    )
    return first + second

@action
async def try_empty(ctx: ActionCtx) -> str:
    try:
        await ctx.run_mutation(write, text="")
    except AppError as error:
        return error.data["code"]
    return "written"

@action
async def refuse(ctx: ActionCtx) -> None:
    await ctx.run_mutation(write, text="kept")
    raise AppError({"code": "NO"})

@action
async def who(ctx: ActionCtx) -> str:
    return (await ctx.auth.require_identity()).subject

@action
async def later(ctx: ActionCtx, text: str) -> None:
    await ctx.scheduler.run_after(1000, shout, text=text)

@action
async def waited(ctx: ActionCtx, seconds: float) -> float:
    began = ctx.now
    await asyncio.sleep(seconds)
    return ctx.now - began

@action
async def chance(ctx: ActionCtx) -> float:
    return ctx.random.random()

@action
async def keep(ctx: ActionCtx, size: int) -> Id[StoredFile]:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, size, 1_500_000):
            yield b"x" * min(1_500_000, size - start)
    return await ctx.storage.store(chunks(), content_type="text/plain")

@action
async def look(ctx: ActionCtx, file: Id[StoredFile]) -> list[float | str | None]:
    found = await ctx.storage.get_metadata(file)
    if found is None:
        return [None]
    whole = await ctx.storage.get(file)
    stream = await ctx.storage.stream(file)
    pieces = [len(piece) async for piece in stream]
    return [found.size, whole.content_type, len(whole.content), sum(pieces)]

@action
async def drop(ctx: ActionCtx, file: Id[StoredFile]) -> str:
    await ctx.storage.delete(file)
    try:
        await ctx.storage.delete(file)
    except FileMissing:
        return "gone"
    return "there"

@action
async def go_on_after_the_end(ctx: ActionCtx) -> None:
    async def late() -> None:
        await asyncio.sleep(0)
        await ctx.run_mutation(write, text="late")
    ctx.task = asyncio.create_task(late())

@action
async def leave(ctx: ActionCtx) -> None:
    raise SystemExit(0)

@action
async def end_the_process(ctx: ActionCtx) -> None:
    await ctx.run_mutation(write, text="before")
    os._exit(0)

@action
async def hang(ctx: ActionCtx) -> None:
    await asyncio.get_running_loop().create_future()

@action
async def stop_the_loop(ctx: ActionCtx) -> str:
    asyncio.get_running_loop().stop()
    await ctx.run_mutation(write, text="stopped")
    return "went on"

@mutation
async def ask_as_an_action(ctx: MutationCtx) -> None:
    from headwater.remote_requests import Now
    await ctx.db._run.ask(Now())
"""
SCHEMA = """
from headwater import Document

class Note(Document, table="notes"):
    text: str
    at: float
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backend with actions."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "backend").mkdir()
    (folder / "backend" / "schema.py").write_text(SCHEMA)
    (folder / "backend" / "notes.py").write_text(NOTES)
    return folder


@pytest.fixture(scope="module")
def worker(project: Path) -> Iterator[WorkerPlacement]:
    """One worker for all of these tests; a failed one starts anew by itself."""
    worker = WorkerPlacement(launch, project, end=end)
    yield worker
    worker.close()


@pytest.fixture
def backend(worker: WorkerPlacement) -> Iterator[Backend]:
    """A testing backend whose handlers run in the worker."""
    backend = Backend(worker)
    yield backend
    backend.close()


def test_an_action_asks_many_things_at_once(backend: Backend) -> None:
    """`gather` over ctx calls works, also for more than may be open at once."""
    words = [f"word {number}" for number in range(250)]
    assert backend.action("notes:writeAll", {"words": words}) == 250
    assert sorted(backend.query("notes:texts", {})) == sorted(words)
    assert backend.log_lines == []
    backend.action("notes:writeAll", {"words": []})
    assert backend.log_lines == ["[LOG] 'writing' 0"]


def test_actions_run_actions_beside_each_other(backend: Backend) -> None:
    """An action waits for two others, which write through mutations of their own."""
    assert backend.action("notes:passOn", {"text": "a"}) == "AAA"
    assert sorted(backend.query("notes:texts", {})) == ["A", "AA"]


def test_an_action_meets_errors_of_what_it_runs_and_raises_its_own(backend: Backend) -> None:
    """AppErrors keep their data both ways; what was committed before one stays."""
    assert backend.action("notes:tryEmpty", {}) == "EMPTY"
    with pytest.raises(AppError) as raised:
        backend.action("notes:refuse", {})
    assert raised.value.data == {"code": "NO"}
    assert backend.query("notes:texts", {}) == ["kept"]


def test_an_action_knows_its_caller(backend: Backend) -> None:
    """The identity is the host's word."""
    assert backend.with_identity(subject="ana").action("notes:who", {}) == "ana"
    with pytest.raises(FunctionFailed, match="signed in"):
        backend.action("notes:who", {})


def test_an_action_schedules_at_the_host(backend: Backend) -> None:
    """What it schedules runs in the worker when the host's clock is there."""
    backend.action("notes:later", {"text": "soon"})
    assert backend.query("notes:texts", {}) == []
    backend.advance(seconds=2)
    assert backend.query("notes:texts", {}) == ["SOON"]


def test_time_goes_on_while_an_action_waits(backend: Backend) -> None:
    """A clock moved by hand follows the real one while an action runs, and stands still else."""
    began = backend.clock.now_ns()
    assert 30 <= backend.action("notes:waited", {"seconds": 0.03}) < 5_000
    ended = backend.clock.now_ns()
    assert ended - began >= 30_000_000
    backend.query("notes:texts", {})
    assert backend.clock.now_ns() == ended


def test_the_chance_of_an_action_is_the_hosts(backend: Backend) -> None:
    """Each call has a seed of its own, from the host's clock."""
    assert backend.action("notes:chance", {}) != backend.action("notes:chance", {})


def test_files_of_an_action_go_over_the_pipe_in_pieces(backend: Backend) -> None:
    """Stored in chunks, read whole and in chunks, and deleted: as in this process."""
    file = backend.action("notes:keep", {"size": 3_200_000})
    look = backend.action("notes:look", {"file": file})
    assert look == [3_200_000.0, "text/plain", 3_200_000.0, 3_200_000.0]
    assert backend.action("notes:drop", {"file": file}) == "gone"
    assert backend.action("notes:look", {"file": file}) == [None]


def test_what_an_action_left_running_asks_nothing_more(
    backend: Backend, worker: WorkerPlacement
) -> None:
    """A task that outlives its action is refused in the worker, and nobody is harmed."""
    backend.action("notes:goOnAfterTheEnd", {})
    assert backend.action("notes:tryEmpty", {}) == "EMPTY"
    assert worker.failed is None
    assert backend.query("notes:texts", {}) == []


def test_an_action_cannot_stop_the_loop(backend: Backend) -> None:
    """`loop.stop()` and `sys.exit()` end no more than the call."""
    assert backend.action("notes:stopTheLoop", {}) == "went on"
    with pytest.raises(FunctionFailed, match="SystemExit"):
        backend.action("notes:leave", {})
    assert backend.action("notes:tryEmpty", {}) == "EMPTY"


def test_a_worker_that_ends_in_an_action_is_replaced(
    backend: Backend, worker: WorkerPlacement
) -> None:
    """The action failed, what it had committed stays, and the next call has a fresh process."""
    with pytest.raises(FunctionFailed, match="ended in the middle"):
        backend.action("notes:endTheProcess", {})
    assert worker.failed is not None
    assert worker.failed.reason == "ended"
    assert backend.query("notes:texts", {}) == ["before"]


def test_an_action_that_never_ends_is_ended(project: Path) -> None:
    """The wall clock holds for actions too."""
    worker = WorkerPlacement(launch, project, end=end, limits=WorkerLimits(action_s=0.2))
    backend = Backend(worker)
    with pytest.raises(FunctionFailed, match="no answer in time"):
        backend.action("notes:hang", {})
    assert backend.action("notes:tryEmpty", {}) == "EMPTY"
    backend.close()
    worker.close()


LIAR = """
import json, os, sys
manifest, messages = json.loads(sys.stdin.buffer.read(int(sys.argv[1])))
def read():
    body = sys.stdin.buffer.read(int.from_bytes(sys.stdin.buffer.read(4), "big"))
    return json.loads(body)
def say(message):
    body = json.dumps(message).encode()
    os.write(1, len(body).to_bytes(4, "big") + body)
read()
say({"manifest": manifest})
number = read()["action"]
for message in messages:
    say({"action": number, **message})
sys.stdin.buffer.read()
"""
ASK = {"id": 7, "ask": {"ask": "Now"}}
HANG = {"ask": "RunFunction", "path": "notes:hang", "kind": "action", "arguments": {}}
PIECE = {"ask": "SendPiece", "content": {"$bytes": ""}}
FORGED: dict[str, list[dict[str, Any]]] = {
    "an end and then more": [{"return": "x"}, ASK],
    "two ends": [{"return": "x"}, {"return": "y"}],
    "a number twice": [{"id": 7, "ask": HANG}, ASK],
    "a number that is none": [{**ASK, "id": "x"}],
    "no number": [{"ask": {"ask": "Now"}}],
    "an unknown request": [{"id": 7, "ask": {"ask": "Shell"}}],
    "half a request": [{"id": 7, "ask": {"ask": "Get", "id": "x"}}],
    "a request of a query": [
        {"id": 7, "ask": {"ask": "Get", "id": "x", "table": None, "system": False}}
    ],
    "too many at once": [{"id": number, "ask": HANG} for number in range(200)],
    "another action": [{"action": 999_999, "return": 1}],
    "no action": [{"action": None, "return": 1}],
    "a call's end": [{"action": [], "call": 1, "return": 1, "used": {}}],
    "a file that is not open": [{"id": 7, "ask": {"ask": "NextPiece", "file": 3}}],
    "a piece that is none": [{"id": 7, "ask": {**PIECE, "file": 1, "content": "text"}}],
    "files without end": [{"id": n, "ask": {**PIECE, "file": n}} for n in range(190)],
    "a log that is none": [{"return": "x", "log": {"a": 1}}],
    "a failure that is none": [{"raise": "x"}],
    "neither": [{}],
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_message_of_an_action_ends_the_worker(
    name: str, worker: WorkerPlacement, tmp_path: Path
) -> None:
    """What has no meaning is named as such: in the call itself or, when it came after a whole
    answer, before the next.
    """
    lies = json.dumps([worker.manifest.to_json(), FORGED[name]]).encode()

    def launch_liar() -> Process:
        process = launch([sys.executable, "-I", "-S", "-c", LIAR, str(len(lies))])
        assert process.stdin is not None
        process.stdin.write(lies)
        process.stdin.flush()
        return process

    limits = WorkerLimits(action_s=2.0, open_requests=150)
    liar = WorkerPlacement(launch_liar, tmp_path, end=end, limits=limits)
    backend = Backend(liar)
    for _ in range(2):
        with suppress(FunctionFailed):
            backend.action("notes:hang", {})
        if liar.failed is not None:
            break
    assert liar.failed is not None
    assert (liar.failed.reason, "no reply" in str(liar.failed)) == ("malformed", True)
    backend.close()
    liar.close()


def test_a_mutation_may_not_ask_what_only_actions_may(
    backend: Backend, worker: WorkerPlacement
) -> None:
    """The time and the bytes of files are no requests of a transaction."""
    with pytest.raises(FunctionFailed, match="no reply"):
        backend.mutation("notes:askAsAnAction", {})
    assert worker.failed is not None
