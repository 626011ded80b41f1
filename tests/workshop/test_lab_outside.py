"""A lab's outside world: actions in the jail reach its stand-ins, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from headwater.worker_placement import WorkerPlacement
from headwater_workshop.lab.lab import CheckFailed, Lab
from headwater_workshop.lab.learner_process import LearnerProcess, SandboxTooWeak
from headwater_workshop.sandbox import jail, landlock

SCHEMA = """
from headwater import Document, Id
from headwater.core.system import StoredFile

class Answer(Document, table="answers"):
    text: str
    at: float

class Picture(Document, table="pictures"):
    file: Id[StoredFile]
"""
AI = """
import os
import headwater
from headwater import ActionCtx, MutationCtx, QueryCtx, action, internal_mutation, mutation, query
from backend.schema import Answer

class Settings(headwater.Settings):
    anthropic_api_key: str = ""
    anthropic_base_url: str = ""
    hook_url: str = ""
    greeting: str = "none"

@internal_mutation
async def write(ctx: MutationCtx, text: str) -> None:
    await ctx.db.insert(Answer(text=text, at=ctx.now))

@action
async def reply(ctx: ActionCtx, prompt: str) -> str:
    from anthropic import AsyncAnthropic
    settings = ctx.env(Settings)
    said = ""
    async with AsyncAnthropic(
        api_key=settings.anthropic_api_key, base_url=settings.anthropic_base_url
    ) as client:
        async with client.messages.stream(
            model="any", max_tokens=100, messages=[{"role": "user", "content": prompt}]
        ) as stream:
            async for text in stream.text_stream:
                said += text
                await ctx.run_mutation(write, text=text)
    print("answered", len(said))
    return said

@action
async def tell(ctx: ActionCtx, url: str) -> int:
    import httpx
    async with httpx.AsyncClient() as client:
        answer = await client.post(url or ctx.env(Settings).hook_url, json={"done": True})
    return answer.status_code

@query
async def greeting(ctx: QueryCtx) -> list[str]:
    return [Settings().greeting, *sorted(name for name in os.environ if name != "GREETING")]

@mutation
async def leak(ctx: MutationCtx) -> None:
    print("the key is", Settings().anthropic_api_key)
    os.write(2, b"to standard error")
"""
ROUTES = """
from fastapi import APIRouter, HTTPException, Request
from headwater import HttpCtx
from backend.ai import greeting, write

router = APIRouter()

@router.post("/answers")
async def add(ctx: HttpCtx, request: Request) -> dict[str, str]:
    print("taking", request.headers["x-kind"])
    text = (await request.json())["text"]
    if not text:
        raise HTTPException(400, "No text.")
    await ctx.run_mutation(write, text=text)
    return {"text": text}

@router.get("/greeting")
def greet() -> str:
    return "plain"
"""
FILES = """
from headwater import ActionCtx, Id, MutationCtx, QueryCtx, action, internal_mutation, mutation
from headwater import query
from headwater.core.system import StoredFile
from backend.schema import Picture

@mutation
async def upload_url(ctx: MutationCtx) -> str:
    return await ctx.storage.generate_upload_url()

@mutation
async def no_upload_url(ctx: MutationCtx) -> str:
    return "http://127.0.0.1/upload?token=x"

@mutation
async def attach(ctx: MutationCtx, file: Id[StoredFile]) -> None:
    await ctx.db.insert(Picture(file=file))

@query
async def urls(ctx: QueryCtx) -> list[str | None]:
    return [await ctx.storage.get_url(picture.file) async for picture in ctx.db.query(Picture)]

@internal_mutation
async def clear(ctx: MutationCtx) -> None:
    async for picture in ctx.db.query(Picture):
        await ctx.storage.delete(picture.file)
        await ctx.db.delete(picture.id)

@action
async def make(ctx: ActionCtx, text: str) -> float:
    file = await ctx.storage.store(text.encode(), content_type="text/plain")
    await ctx.run_mutation(attach, file=file)
    found = await ctx.storage.get(file)
    return len(found.content)
"""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerPlacement]:
    """A jailed worker for all of these tests."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "backend").mkdir()
    for name, text in (
        ("schema.py", SCHEMA),
        ("ai.py", AI),
        ("files.py", FILES),
        ("routes.py", ROUTES),
    ):
        (folder / "backend" / name).write_text(text)
    process = LearnerProcess(folder)
    worker = WorkerPlacement(process, folder, end=jail.kill)
    yield worker
    worker.close()
    process.close()


@pytest.fixture
def lab(worker: WorkerPlacement) -> Iterator[Lab]:
    """A lab with that worker."""
    made = Lab(worker, {}, objective="L9.1", seed="7")
    yield made
    made.close()


def test_an_action_asks_the_model_of_the_lab(lab: Lab) -> None:
    """The official package reaches the stand-in by its variables; each commit is seen in order."""
    model = lab.model("one two three", word_delay_ms=60)
    seen: list[int] = []
    with lab._host.watching(lambda: seen.append(len(lab.documents("answers")))):
        attempt = lab.anonymous.attempt("ai:reply", {"prompt": "hello"}, kind="action")
    assert (attempt.value, attempt.log_lines) == ("one two three", ("[LOG] 'answered' 13",))
    assert [change.document and change.document["text"] for change in attempt.changes] == [
        "one ",
        "two ",
        "three",
    ]
    assert seen == [1, 2, 3]
    first, *_, last = (answer["at"] for answer in lab.documents("answers"))
    assert last - first >= 5
    assert [each["messages"][-1]["content"] for each in model.requests] == ["hello"]


def test_the_model_of_the_lab_may_fail(lab: Lab, worker: WorkerPlacement) -> None:
    """It refuses, and it breaks off; the process is not started anew for that."""
    lab.model("one two three")
    lab.anonymous.action("ai:reply", {"prompt": "hello"})
    number, pipe = len(lab.documents("answers")), worker._pipe
    lab.model("four five six", drop_after=2)
    attempt = lab.anonymous.attempt("ai:reply", {"prompt": "hello"}, kind="action")
    assert (attempt.ok, len(lab.documents("answers")) - number) == (False, 2)
    model = lab.model("seven", refusals=1)
    assert lab.anonymous.action("ai:reply", {"prompt": "hello"}) == "seven"
    assert len(model.requests) == 1
    assert worker._pipe is pipe


def test_an_action_reaches_the_other_services_of_the_lab_alone(lab: Lab) -> None:
    """A server of the lab is called, another on this machine is not."""
    http = lab.outside()
    http.reply("POST", "/hook", status=202)
    lab.set_env(HOOK_URL=f"{http.url}/hook")
    assert lab.anonymous.action("ai:tell", {"url": ""}) == 202
    assert http.requests[0].json() == {"done": True}
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"http://127.0.0.1:{other.getsockname()[1]}/"
        assert not lab.anonymous.attempt("ai:tell", {"url": url}, kind="action").ok
    port = urlsplit(http.url).port
    assert port in lab._process.ports
    assert lab._process.level == jail.jail_level(network=True)


def test_variables_are_what_the_lab_set_and_end_with_it(
    lab: Lab, worker: WorkerPlacement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Settings()` reads them; the grader's own are not there, and the next check has none."""
    monkeypatch.setenv("OF_THE_GRADER", "x")
    lab.set_env(GREETING="hello", OTHER="x")
    lab.set_env(OTHER=None)
    there = lab.anonymous.query("ai:greeting", {})
    assert (there[0], "OF_THE_GRADER" in there, "OTHER" in there) == ("hello", False, False)
    lab.close()
    after = Lab(worker, {}, objective="L9.1", seed="8")
    assert after.anonymous.query("ai:greeting", {})[0] == "none"
    after.close()


def test_what_the_process_wrote_is_there_to_be_searched(lab: Lab) -> None:
    """A secret in a log line or on standard error is found; what was before the check is not."""
    lab.model()
    lab.anonymous.mutation("ai:leak", {})
    assert lab.model_key in lab.printed
    assert "to standard error" in lab.printed
    next_one = Lab(lab._worker, {}, objective="L9.1", seed="8")
    assert next_one.printed == ""
    next_one.close()


def test_files_are_sent_and_fetched_by_url(lab: Lab) -> None:
    """Facts are the host's; a deleted file is gone from its URL."""
    content = b"x" * 100_000
    url = lab.anonymous.mutation("files:uploadUrl", {})
    file = lab.upload(url, content, "image/png")
    lab.anonymous.mutation("files:attach", {"file": file})
    assert lab.anonymous.action("files:make", {"text": "hello"}) == 5
    first, second = lab.files()
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert (first.id, first.size, first.sha256, first.content_type) == (
        file, 100_000, digest, "image/png",
    )  # fmt: skip
    urls = lab.anonymous.query("files:urls", {})
    assert [lab.download(each) for each in urls] == [content, b"hello"]
    assert second.content_type == "text/plain"
    lab.call_internal("files:clear", {})
    assert (lab.files(), [lab.download(each) for each in urls]) == ([], [None, None])


def test_an_upload_url_that_takes_nothing_fails_the_check(lab: Lab) -> None:
    """What a backend gives for an upload URL may be anything."""
    url = lab.anonymous.mutation("files:noUploadUrl", {})
    with pytest.raises(CheckFailed, match="upload URL took no file"):
        lab.upload(url, b"x")
    assert lab.download("http://127.0.0.1/nothing") is None


def test_a_network_that_cannot_be_held_is_given_to_nobody_it_must_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a kernel whose Landlock knows no ports strangers get none; one's own code does, as L1."""
    monkeypatch.setattr(landlock, "abi", lambda: 3)
    stranger, own = LearnerProcess(tmp_path, "L2"), LearnerProcess(tmp_path)
    with pytest.raises(SandboxTooWeak, match="is L1, and L2 is the least"):
        _ = stranger.model
    assert (stranger.ports, own.model.url) == ((), f"http://127.0.0.1:{own.ports[0]}")
    own.close()


def test_a_lab_without_a_process_of_its_own_has_no_network(tmp_path: Path) -> None:
    """Handlers in this process would reach anything, so they are given nothing."""
    from tests.workshop.labs import made_lab

    made = made_lab(tmp_path)
    with pytest.raises(TypeError, match="no process of its own"):
        made.model()
    made.close()


def test_a_caller_sends_requests_to_the_routes(lab: Lab) -> None:
    """Routes run in the jail as actions do; the host saw what they did."""
    sent: dict[str, Any] = {"headers": {"X-Kind": "test"}}
    made = lab.anonymous.http("POST", "/answers", json={"text": "hello"}, **sent)
    assert (made.status, made.json(), made.headers["content-type"]) == (
        200, {"text": "hello"}, "application/json",
    )  # fmt: skip
    assert [change.table for change in made.attempt.changes] == ["answers"]
    assert made.attempt.log_lines == ("[LOG] 'taking' 'test'",)
    refused = lab.anonymous.http("POST", "/answers", body='{"text": ""}', **sent)
    assert (refused.status, refused.json()) == (400, {"detail": "No text."})
    assert lab.anonymous.http("GET", "/greeting").json() == "plain"
    assert not lab.anonymous.http("POST", "/answers", body="no JSON", **sent).attempt.ok
