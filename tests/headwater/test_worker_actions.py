"""Actions in another process: they ask several things at once, and are believed in nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from headwater import remote
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

@query
async def same(ctx: QueryCtx, text: str) -> str:
    return text

@action
async def large(ctx: ActionCtx, size: int) -> int:
    texts = await asyncio.gather(*(ctx.run_query(same, text="y" * size) for _ in range(20)))
    return sum(map(len, texts))

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
async def spread(ctx: ActionCtx, depth: int) -> int:
    if depth == 0:
        await asyncio.sleep(0.02)
        return 1
    ended = await asyncio.gather(
        *(ctx.run_action(spread, depth=depth - 1) for _ in range(20)), return_exceptions=True
    )
    return sum(each for each in ended if isinstance(each, float | int))

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
ROUTES = """
from typing import Annotated
from fastapi import APIRouter, Header, HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from headwater import HttpCtx
from pydantic import BaseModel
from backend.notes import texts, write

router = APIRouter()

class New(BaseModel):
    text: str

@router.post("/notes", status_code=201)
async def add(ctx: HttpCtx, new: New, x_times: Annotated[int, Header()] = 1) -> dict[str, str]:
    for _ in range(x_times):
        note_id = await ctx.run_mutation(write, text=new.text)
    return {"id": note_id}

@router.get("/notes")
async def listed(ctx: HttpCtx, first: int = 100) -> list[str]:
    print("listed")
    return (await ctx.run_query(texts))[:first]

@router.post("/echo")
async def echo(request: Request) -> Response:
    body = await request.body()
    return Response(body[::-1], 202, {"X-Length": str(len(body))}, "application/octet-stream")

@router.get("/who")
async def who(ctx: HttpCtx) -> str:
    identity = await ctx.auth.get_user_identity()
    if identity is None:
        raise HTTPException(401, "Sign in.", headers={"WWW-Authenticate": "Bearer"})
    return identity.subject

@router.get("/stream")
async def stream() -> StreamingResponse:
    async def pieces():
        for piece in ("a", "b", "c"):
            yield piece
    return StreamingResponse(pieces())

@router.get("/plain")
def plain(ctx: HttpCtx) -> float:
    return ctx.now

@router.get("/broken")
async def broken() -> None:
    raise ValueError("on purpose")
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
    (folder / "backend" / "routes.py").write_text(ROUTES)
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


def test_what_is_asked_and_answered_may_be_large(backend: Backend) -> None:
    """Both sides may have more to say than a pipe holds, and neither waits for the other."""
    assert backend.action("notes:large", {"size": 300_000}) == 6_000_000


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


def test_actions_that_multiply_are_bounded(backend: Backend, worker: WorkerPlacement) -> None:
    """Those beyond the bound are refused to whoever runs them, and the worker lives on."""
    assert 20 <= backend.action("notes:spread", {"depth": 2}) < 400
    assert worker.failed is None


def test_an_action_that_never_ends_is_ended(project: Path) -> None:
    """The wall clock holds for actions too."""
    worker = WorkerPlacement(launch, project, end=end, limits=WorkerLimits(action_s=0.2))
    backend = Backend(worker)
    with pytest.raises(FunctionFailed, match="no answer in time"):
        backend.action("notes:hang", {})
    assert backend.action("notes:tryEmpty", {}) == "EMPTY"
    backend.close()
    worker.close()


def test_a_request_is_answered_by_routes_in_the_worker(backend: Backend) -> None:
    """Bodies, parameters and headers go in; status, headers and bodies come out; as an action, a
    handler reaches the backend.
    """
    made = backend.http("POST", "/notes", json={"text": "hello"}, headers={"X-Times": "2"})
    assert (made.status_code, set(made.json())) == (201, {"id"})
    listed = backend.http("GET", "/notes", params={"first": 1})
    assert (listed.json(), backend.log_lines) == (["hello"], ["[LOG] 'listed'"])
    echo = backend.http("POST", "/echo", content=bytes(range(256)))
    assert (echo.status_code, echo.headers["x-length"]) == (202, "256")
    assert echo.content == bytes(range(256))[::-1]
    assert backend.http("GET", "/stream").text == "abc"
    began = backend.clock.now_ms()
    assert began <= backend.http("GET", "/plain").json() <= backend.clock.now_ms()


def test_what_a_route_refuses_is_answered_so(backend: Backend) -> None:
    """FastAPI's own errors, HTTPExceptions, unknown paths, and a handler that raises."""
    assert backend.with_identity(subject="ana").http("GET", "/who").json() == "ana"
    refused = backend.http("GET", "/who")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert backend.http("POST", "/notes", json={"txt": 1}).status_code == 422
    assert backend.http("GET", "/nothing").status_code == 404
    assert "ValueError: on purpose" in backend.http("GET", "/broken").text


ANSWERS: dict[str, Any] = {
    "no status": {"headers": [], "body": {"$bytes": ""}},
    "an impossible status": {"status": 7.0, "headers": [], "body": {"$bytes": ""}},
    "a status that is none": {"status": "200", "headers": [], "body": {"$bytes": ""}},
    "a body that is none": {"status": 200.0, "headers": [], "body": "text"},
    "a header that is none": {"status": 200.0, "headers": [["a"]], "body": {"$bytes": ""}},
    "a header of two lines": {
        "status": 200.0,
        "headers": [["a", "b\r\nc: d"]],
        "body": {"$bytes": ""},
    },
    "headers without end": {
        "status": 200.0,
        "headers": [["a", "b"]] * 1000,
        "body": {"$bytes": ""},
    },
    "no answer": None,
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_forged_answer_of_a_route_ends_the_worker(
    name: str, worker: WorkerPlacement, tmp_path: Path
) -> None:
    """What is no answer is not passed on."""
    liar = lying(worker, tmp_path, [{"return": ANSWERS[name]}])
    backend = Backend(liar)
    assert "no reply" in backend.http("GET", "/notes").text
    assert liar.failed is not None
    assert liar.failed.reason == "malformed"
    backend.close()
    liar.close()


def test_what_breaks_the_host_itself_ends_the_action(
    backend: Backend, worker: WorkerPlacement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that is no answer is not swallowed, and nobody waits for one."""

    def broken(_answer: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(remote, "answer_out", broken)
    with pytest.raises(FunctionFailed, match="ZeroDivisionError"):
        backend.action("notes:waited", {"seconds": 0})
    assert worker.failed is not None


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
    if isinstance(message, str):
        exec(message)
    else:
        say({"action": number, **message})
sys.stdin.buffer.read()
"""


def lying(
    worker: WorkerPlacement, folder: Path, messages: list[Any], *, action_s: float = 2.0
) -> WorkerPlacement:
    """A worker that answers the first action with these messages."""
    lies = json.dumps([worker.manifest.to_json(), messages]).encode()

    def launch_liar() -> Process:
        process = launch([sys.executable, "-I", "-S", "-c", LIAR, str(len(lies))])
        assert process.stdin is not None
        process.stdin.write(lies)
        process.stdin.flush()
        return process

    limits = WorkerLimits(action_s=action_s, open_requests=150, open_bytes=2_000_000)
    return WorkerPlacement(launch_liar, folder, end=end, limits=limits)


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
    "requests too large together": [
        {"id": n, "ask": {**HANG, "path": "notes:passOn", "arguments": {"text": "y" * 200_000}}}
        for n in range(20)
    ],
    "files without end": [{"id": n, "ask": {**PIECE, "file": n}} for n in range(190)],
    "a log that is none": [{"return": "x", "log": {"a": 1}}],
    "a failure that is none": [{"raise": "x"}],
    "neither": [{}],
}


RAW = {
    "half a frame and silence": ("os.write(1, b'\\x00\\x00')", "silent"),
    "half a frame and the end": ("os.write(1, b'\\x00\\x00'); os._exit(0)", "ended"),
    "a frame without end": ("while True: os.write(1, b'\\x7f' * 65536)", "malformed"),
    "no JSON": ("os.write(1, b'\\x00\\x00\\x00\\x01{')", "malformed"),
    "a list": ("os.write(1, b'\\x00\\x00\\x00\\x02[]')", "malformed"),
    "closed pipes": ("os.close(1); os.close(2)", "ended"),
    "printing without end": ("while True: os.write(2, b'x' * 65536)", "flood"),
    "asking without end": (
        "n = 0\nwhile True:\n    n += 1\n"
        "    say({'action': number, 'id': n, 'ask': {'ask': 'Now'}})",
        "malformed",
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_an_action_that_abuses_its_pipes_is_ended_in_time(
    name: str, worker: WorkerPlacement, tmp_path: Path
) -> None:
    """Whatever it writes or leaves, the host notices within the action's time, and says why."""
    does, reason = RAW[name]
    liar = lying(worker, tmp_path, [does], action_s=0.5)
    backend = Backend(liar)
    with pytest.raises(FunctionFailed):
        backend.action("notes:hang", {})
    assert liar.failed is not None
    assert liar.failed.reason == reason
    backend.close()
    liar.close()


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_message_of_an_action_ends_the_worker(
    name: str, worker: WorkerPlacement, tmp_path: Path
) -> None:
    """What has no meaning is named as such: in the call itself or, when it came after a whole
    answer, before the next.
    """
    liar = lying(worker, tmp_path, FORGED[name])
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
