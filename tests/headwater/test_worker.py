"""Handlers in another process, driven by a host that believes nothing they say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from headwater.errors import AppError, BackendLoadError
from headwater.host import Host, identity_of
from headwater.pipe import Process, WorkerFailed, WorkerLimits
from headwater.testing import Backend, FunctionFailed
from headwater.worker_placement import WorkerPlacement
from tests.headwater.projects import FILES

SCHEMA = """
from headwater import Document, Id, Index, SearchIndex

class Note(Document, table="notes"):
    text: str
    author: str
    likes: float = 0
    by_author = Index("author")
    find = SearchIndex("text", filter_fields=("author",))
"""
NOTES = """
from headwater import (
    AppError, Id, MutationCtx, PaginationOptions, PaginationResult, QueryCtx, mutation, query
)
from headwater.errors import DocumentMissing
from backend.schema import Note

@mutation
async def write(ctx: MutationCtx, text: str) -> Id[Note]:
    identity = await ctx.auth.require_identity()
    print("writing", text)
    return await ctx.db.insert(Note(text=text, author=identity.subject))

@query
async def mine(ctx: QueryCtx, author: str) -> list[Note]:
    return await ctx.db.query(Note).with_index("by_author", author=author).collect()

@query
async def long_ones(ctx: QueryCtx, most: int) -> list[Note]:
    return await ctx.db.query(Note).filter(lambda note: len(note.text) > 3).take(most)

@query
async def found(ctx: QueryCtx, words: str, author: str) -> list[str]:
    notes = ctx.db.query(Note).with_search_index("find", words, author=author)
    return [note.text async for note in notes.filter(lambda note: note.likes == 0)]

@query
async def found_pages(
    ctx: QueryCtx, words: str, options: PaginationOptions
) -> PaginationResult[Note]:
    return await ctx.db.query(Note).with_search_index("find", words).paginate(options)

@query
async def read(ctx: QueryCtx, note_id: Id[Note]) -> Note | None:
    return await ctx.db.get(note_id)

@mutation
async def like_or_say_missing(ctx: MutationCtx, note_id: Id[Note]) -> str:
    try:
        await ctx.db.patch(note_id, likes=ctx.random.random())
    except DocumentMissing as error:
        return f"caught: {error}"
    return "liked"

@mutation
async def drop(ctx: MutationCtx, note_id: Id[Note]) -> None:
    await ctx.db.delete(note_id)

@mutation
async def write_twice(ctx: MutationCtx, text: str) -> list[Note]:
    await ctx.run_mutation(write, text=text)
    await ctx.run_mutation(write, text=text * 2)
    return await ctx.run_query(mine, author=(await ctx.auth.require_identity()).subject)

@mutation
async def refuse(ctx: MutationCtx) -> None:
    await ctx.db.insert(Note(text="lost", author="x"))
    raise AppError({"code": "NO", "left": 2})

@query
async def write_in_a_query(ctx: QueryCtx) -> None:
    from headwater.core.requests import Insert
    await ctx.db._run.ask(Insert("notes", {"text": "x", "author": "x", "likes": 0.0}))

@query
async def broken(ctx: QueryCtx) -> None:
    raise ValueError("broken on purpose")

@query
async def end(ctx: QueryCtx) -> None:
    import os
    os._exit(3)

@query
async def hang(ctx: QueryCtx) -> None:
    while True:
        try:
            while True: pass
        except BaseException: pass
"""

ENVIRONMENT = """
import os
import headwater
from headwater import QueryCtx, query

class Settings(headwater.Settings):
    greeting: str = "none"

@query
async def variables(ctx: QueryCtx) -> list[list[str] | str]:
    return [sorted(os.environ), ctx.env(Settings).greeting]
"""
TALK = """
import os
from headwater import QueryCtx, query
os.write(2, b"on import")

@query
async def talk(ctx: QueryCtx, word: str) -> None:
    print(f"log {word}")
    os.write(2, f"raw {word}".encode())
    raise ValueError(f"error {word}")
"""

Start = Callable[..., WorkerPlacement]


WORKER = (sys.executable, "-I", "-m", "headwater.worker")


def launch(command: Sequence[str] = WORKER) -> Process:
    """A worker without a jail: the protocol is the same."""
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def end(process: Process) -> None:
    """Kill a worker and close its pipes."""
    if process.returncode is None:
        os.kill(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts workers for a backend of two files, and ends them."""
    started: list[WorkerPlacement] = []

    def make(notes: str = NOTES, limits: WorkerLimits | None = None) -> WorkerPlacement:
        (tmp_path / "backend").mkdir(exist_ok=True)
        (tmp_path / "backend" / "schema.py").write_text(SCHEMA)
        (tmp_path / "backend" / "notes.py").write_text(notes)
        started.append(WorkerPlacement(launch, tmp_path, end=end, limits=limits))
        return started[-1]

    yield make
    for worker in started:
        worker.close()


@pytest.fixture
def backend(start: Start) -> Iterator[Backend]:
    """A testing backend whose handlers run in a worker."""
    backend = Backend(start())
    yield backend
    backend.close()


def test_a_testing_backend_takes_a_worker_for_its_placement(backend: Backend) -> None:
    """Mutations, queries and documents are the same as with handlers in this process."""
    ana = backend.with_identity(subject="ana")
    note_id = ana.mutation("notes:write", {"text": "hello"})
    (note,) = backend.query("notes:mine", {"author": "ana"})
    assert (note["_id"], note["text"], note["likes"]) == (note_id, "hello", 0.0)
    assert backend.query("notes:read", {"noteId": note_id}) == note


def test_a_subscription_follows_handlers_in_a_worker(backend: Backend) -> None:
    """What a worker's handler read is in the read set, so a write to it is pushed."""
    followed = backend.subscribe("notes:mine", author="ana")
    backend.with_identity(subject="ana").mutation("notes:write", {"text": "one"})
    backend.with_identity(subject="ben").mutation("notes:write", {"text": "two"})
    assert [len(value) for value in followed.updates] == [0, 1]
    assert followed.runs == 2


def test_a_search_is_asked_for_by_a_worker(backend: Backend) -> None:
    """Filters, pages and pushes are those of a search in this process."""
    ana, ben = (backend.with_identity(subject=name) for name in ("ana", "ben"))
    shown = backend.subscribe("notes:found", {"words": "hel", "author": "ana"})
    for who, text in ((ana, "hello"), (ben, "help"), (ana, "nothing"), (ana, "help me")):
        who.mutation("notes:write", {"text": text})
    assert shown.updates == [[], ["hello"], ["hello", "help me"]]
    options: dict[str, Any] = {"numItems": 2, "cursor": None}
    first = backend.query("notes:foundPages", {"words": "hel", "options": options})
    options["cursor"] = first["continueCursor"]
    rest = backend.query("notes:foundPages", {"words": "hel", "options": options})
    texts = [[note["text"] for note in page["page"]] for page in (first, rest)]
    assert (texts, rest["isDone"]) == ([["help", "hello"], ["help me"]], True)


def test_what_a_handler_prints_is_in_the_calls_log(backend: Backend) -> None:
    """Log lines come back with the result."""
    backend.with_identity(subject="ana").mutation("notes:write", {"text": "hello"})
    assert backend.log_lines == ["[LOG] 'writing' 'hello'"]


def test_an_error_of_the_database_is_met_by_the_handler_as_its_own_class(backend: Backend) -> None:
    """`except DocumentMissing` works though the database is in another process."""
    ana = backend.with_identity(subject="ana")
    note_id = ana.mutation("notes:write", {"text": "x"})
    assert ana.mutation("notes:likeOrSayMissing", {"noteId": note_id}) == "liked"
    ana.mutation("notes:drop", {"noteId": note_id})
    said = ana.mutation("notes:likeOrSayMissing", {"noteId": note_id})
    assert said == f"caught: Patch on nonexistent document ID {note_id}"


def test_files_are_asked_for_across_the_pipe(start: Start) -> None:
    """URLs, metadata and deletion; their errors are met by the handler."""
    backend = Backend(start(notes=FILES))
    file = backend.upload(backend.mutation("notes:uploadUrl", {}), b"hello")
    known = backend.query("notes:metadata", {"file": file})
    assert (known["size"], known["contentType"]) == (5.0, None)
    url = backend.query("notes:url", {"file": file})
    backend.mutation("notes:drop", {"file": file})
    assert backend.download(url) is None
    with pytest.raises(FunctionFailed, match=f"storage id {file} not found"):
        backend.mutation("notes:drop", {"file": file})
    backend.close()


def test_nested_calls_run_in_the_worker_that_waits(backend: Backend) -> None:
    """A mutation runs others inside its own transaction, and reads what they wrote."""
    ana = backend.with_identity(subject="ana")
    assert [note["text"] for note in ana.mutation("notes:writeTwice", {"text": "ab"})] == [
        "ab",
        "abab",
    ]


def test_an_app_error_arrives_with_its_data_and_undoes_the_writes(backend: Backend) -> None:
    """The client gets the data; the database keeps nothing."""
    with pytest.raises(AppError) as raised:
        backend.mutation("notes:refuse", {})
    assert raised.value.data == {"code": "NO", "left": 2.0}
    assert backend.query("notes:mine", {"author": "x"}) == []


def test_an_error_names_the_learners_line(backend: Backend) -> None:
    """The trace is worded where the source is, and shows paths of the project."""
    with pytest.raises(FunctionFailed, match=r"ValueError: broken on purpose\n.*backend/notes\.py"):
        backend.query("notes:broken", {})


def test_a_worker_cannot_write_in_a_query(backend: Backend) -> None:
    """What a query may ask is decided by the host, whatever the worker sends."""
    with pytest.raises(FunctionFailed, match="a query only reads"):
        backend.query("notes:writeInAQuery", {})


def test_bad_arguments_never_reach_the_worker(start: Start) -> None:
    """The host checks arguments by the manifest and counts no entry."""
    worker = start()
    host = Host(worker)
    ended = host.call("notes:write", "mutation", {"text": 3}, identity_of("ana"))
    assert (ended.entered, worker.entered) == (False, {})
    assert ended.failure is not None
    host.close()


def test_a_filtered_take_counts_what_the_handler_looked_at(start: Start) -> None:
    """A handler that stops early has read as far as it came, and no further."""
    host = Host(start())
    host.insert("notes", [{"text": "long", "author": "a", "likes": 0.0} for _ in range(50)])
    ended = host.call("notes:longOnes", "query", {"most": 11})
    assert (len(ended.value), ended.documents_read) == (11, 11)
    host.close()


def test_a_worker_that_ends_is_replaced_for_the_next_call(start: Start) -> None:
    """One call fails and says why; the next one is answered by a fresh process."""
    worker = start()
    host = Host(worker)
    ended = host.call("notes:end", "query", {})
    assert ended.failure is not None
    assert worker.failed is not None
    assert (worker.failed.reason, "exit code 3" in str(worker.failed)) == ("ended", True)
    assert host.call("notes:mine", "query", {"author": "x"}).value == []
    host.close()


def test_a_worker_that_never_answers_is_ended_by_the_wall_clock(start: Start) -> None:
    """A handler that catches everything cannot outlive the host's patience."""
    worker = start(limits=WorkerLimits(call_s=0.4))
    host = Host(worker)
    host.call("notes:hang", "query", {})
    assert worker.failed is not None
    assert worker.failed.reason == "silent"
    host.close()


def test_a_backend_that_does_not_import_is_refused_with_its_line(start: Start) -> None:
    """Loading errors are the learner's to read: file, line, reason."""
    with pytest.raises(BackendLoadError, match=r"backend/notes\.py:2"):
        start("x = 1\nimport no_such_module\n")


def test_a_worker_that_ends_while_loading_says_so(start: Start) -> None:
    """An exit on import is no silent success."""
    with pytest.raises(WorkerFailed, match="exit code 0"):
        start("import os\nos._exit(0)\n")


def test_a_backend_that_changes_between_two_starts_is_refused(start: Start, tmp_path: Path) -> None:
    """A restarted worker must describe the same backend as before."""
    worker = start()
    host = Host(worker)
    host.call("notes:end", "query", {})
    (tmp_path / "backend" / "notes.py").write_text(NOTES.replace("async def mine", "async def my"))
    host.call("notes:broken", "query", {})
    assert worker.failed is not None
    assert "another backend" in str(worker.failed)
    host.close()


def test_a_worker_has_the_environment_it_is_given_and_no_other(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables of the host's own process are not there; a change takes a fresh process."""
    monkeypatch.setenv("OF_THE_HOST", "x")
    worker = start(ENVIRONMENT)
    host = Host(worker)
    assert host.call("notes:variables", "query", {}).value == [[], "none"]
    worker.have({"GREETING": "hello"})
    assert host.call("notes:variables", "query", {}).value == [["GREETING"], "hello"]
    host.close()


def test_all_that_workers_write_is_kept(start: Start) -> None:
    """Log lines, standard error and failures of every process, and what it said as it ended."""
    worker = start(TALK)
    host = Host(worker)
    host.call("notes:talk", "query", {"word": "first"})
    worker.restart()
    host.call("notes:talk", "query", {"word": "second"})
    for word in ("first", "second"):
        assert [f"{kind} {word}" in worker.printed for kind in ("log", "error", "raw")] == [
            True
        ] * 3
    assert worker.printed.count("on import") == 2
    host.close()
