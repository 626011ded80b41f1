"""Data in and out of a running server, by HTTP with the admin key."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater import data_api
from headwater.data import Tell
from headwater.data_api import DATA_ROUTES, clear_leftovers
from headwater.errors import ImportRefused
from headwater.settings import STATE
from tests.headwater.data.doors import lines
from tests.headwater.served import Served

ADD = {"path": "tasks:add", "args": {"title": "a", "copies": 3}}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server with three tasks."""
    made = Served(tmp_path, import_bytes=100_000)
    made.post("/api/mutation", ADD)
    yield made
    made.close()


def get(served: Served, path: str, **query: Any) -> Any:
    """An admin's GET."""
    return served.request("GET", path, params=query, headers={"Authorization": served.admin})


def sent(served: Served, body: bytes | str, **query: Any) -> list[dict[str, Any]]:
    """What the server tells of an import."""
    headers = {"Authorization": served.admin}
    answer = served.request("POST", "/api/data/import", params=query, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def titles(served: Served) -> list[str]:
    """The tasks."""
    found: list[str] = served.post("/api/query", {"path": "tasks:titles", "args": {}})["value"]
    return found


@pytest.mark.parametrize("route", sorted(DATA_ROUTES))
def test_nobody_without_the_admin_key_is_answered(served: Served, route: str) -> None:
    """No key, a person's token; and a page of another origin is told nothing, key or not."""
    method = "POST" if route.endswith("import") else "GET"
    token = served.auth.token("ana")
    for header in ({}, {"Authorization": f"Bearer {token}"}):
        assert served.request(method, route, headers=header).status_code in (401, 403)
    origin = {"Origin": "https://app.example", "Authorization": served.admin}
    answer = served.request(method, route, headers=origin)
    assert "access-control-allow-origin" not in answer.headers


def test_tables_are_listed_with_their_sizes(served: Served) -> None:
    """The app's first, then the runtime's own."""
    tables = get(served, "/api/data/tables").json()["tables"]
    assert tables[0] == {
        "name": "tasks",
        "documents": 3,
        "declared": True,
        "indexes": ["by_creation_time"],
    }
    assert [t["name"] for t in tables[1:]] == ["_crons", "_scheduled_functions", "_storage"]


def test_documents_are_listed(served: Served) -> None:
    """As many as asked for, the oldest or the newest first."""
    answer = get(served, "/api/data/documents", table="tasks", limit=2)
    first = [json.loads(line) for line in answer.text.splitlines()]
    assert [document["title"] for document in first] == ["a", "a"]
    newest = get(served, "/api/data/documents", table="tasks", limit=1, order="desc").json()
    assert newest["_creationTime"] > first[1]["_creationTime"]
    for query, code in (({"table": "x"}, 404), ({"table": "tasks", "limit": "x"}, 400)):
        assert get(served, "/api/data/documents", **query).status_code == code


def test_an_export_can_be_imported(served: Served) -> None:
    """With ids and times; who follows the table is shown it."""
    before = get(served, "/api/data/documents", table="tasks").text
    snapshot = get(served, "/api/data/export")
    assert snapshot.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(snapshot.content)) as archive:
        assert len(archive.read("tasks/documents.jsonl").splitlines()) == 3
    served.post("/api/mutation", ADD)
    events = sent(served, snapshot.content, format="zip", mode="replace")
    assert events[-1] == {"done": {"imported": {"tasks": 3}, "removed": {"tasks": 6}}}
    assert get(served, "/api/data/documents", table="tasks").text == before


def test_what_is_wrong_with_a_file_is_told(served: Served) -> None:
    """Under the name the sender gave it; nothing is kept and nothing is left lying about."""
    text = lines({"title": "b"}, {"title": 7})
    query = {"format": "jsonl", "table": "tasks", "mode": "append", "name": "my.jsonl"}
    assert "my.jsonl, line 2: " in sent(served, text, **query)[-1]["error"]
    assert titles(served) == ["a"] * 3
    assert list((served.options.root / STATE).glob("import-*")) == []


@pytest.mark.parametrize(
    "query", [{}, {"format": "xml"}, {"format": "zip", "mode": "x"}, {"format": "csv"}]
)
def test_an_import_must_say_what_it_is(served: Served, query: dict[str, str]) -> None:
    """A format, a mode, and a table where the file names none."""
    headers = {"Authorization": served.admin}
    answer = served.request("POST", "/api/data/import", params=query, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "BadImport")


def test_a_file_too_large_for_the_disk_is_refused(served: Served) -> None:
    """By its limit, before anything of it is looked at."""
    headers = {"Authorization": served.admin}
    query = {"format": "jsonl", "table": "tasks"}
    body = b"x" * 100_001
    path = "/api/data/import"
    answer = served.request("POST", path, params=query, content=body, headers=headers)
    assert answer.status_code == 413
    assert list((served.options.root / STATE).glob("import-*")) == []


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    """What it had received or copied; nothing else."""
    for name in ("import-x", "export-y", "files"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    clear_leftovers(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["files"]


NOTES = """
from headwater import Document, MutationCtx, QueryCtx, SearchIndex, mutation, query


class Note(Document, table="notes"):
    text: str
    search_text = SearchIndex("text")


@query
async def found(ctx: QueryCtx, words: str) -> list[str]:
    notes = ctx.db.query(Note).with_search_index("search_text", words)
    return [note.text for note in await notes.collect()]


@mutation
async def write(ctx: MutationCtx, text: str) -> None:
    await ctx.db.insert(Note(text=text))


@mutation
async def later(ctx: MutationCtx, text: str) -> None:
    await ctx.scheduler.run_after(3_600_000, write, text=text)
"""


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Served]:
    """A server with a table that can be searched."""
    made = Served(tmp_path / "notes", modules={"notes": NOTES})
    yield made
    made.close()


def test_what_is_imported_is_searched_and_what_it_replaced_is_not(notes: Served) -> None:
    """Entries of search indexes come and go with the documents."""
    notes.post("/api/mutation", {"path": "notes:write", "args": {"text": "old words"}})
    query = {"format": "jsonl", "table": "notes", "mode": "replace"}
    done = sent(notes, lines({"text": "new words"}, {"text": "others"}), **query)[-1]["done"]
    assert (done["imported"], done["removed"]) == ({"notes": 2}, {"notes": 1})
    for words, expected in (("words", ["new words"]), ("old", []), ("oth", ["others"])):
        answer = notes.post("/api/query", {"path": "notes:found", "args": {"words": words}})
        assert answer.get("value") == expected, answer


def test_scheduled_calls_stay_when_all_is_replaced(notes: Served) -> None:
    """They belong to the runtime: no import empties or fills their table, no export has them."""
    notes.post("/api/mutation", {"path": "notes:later", "args": {"text": "a"}})
    pending = get(notes, "/api/data/documents", table="_scheduled_functions").text
    assert '"kind":"pending"' in pending
    snapshot = get(notes, "/api/data/export").content
    with zipfile.ZipFile(io.BytesIO(snapshot)) as archive:
        assert not any("_scheduled" in name for name in archive.namelist())
    assert "done" in sent(notes, snapshot, format="zip", mode="replace-all")[-1]
    assert get(notes, "/api/data/documents", table="_scheduled_functions").text == pending


def test_an_import_ends_with_whoever_sent_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that is stopped has imported nothing, unless it took effect already."""
    ended: list[str] = []

    def slow(*_of: Any, tell: Tell, **_: Any) -> None:
        try:
            while True:
                tell("reading", 1, 0)
        except ImportRefused as error:
            ended.append(str(error))
            raise

    monkeypatch.setattr(data_api, "import_file", slow)
    api = data_api.DataApi(served.hub, served.auth, served.files, served.options.root / STATE)
    place = served.options.root / STATE / "import-x"
    place.mkdir()
    (place / "file").write_text("")

    async def leave() -> None:
        events = api._running(place, "jsonl", "tasks", "append", "my.jsonl")
        assert "progress" in json.loads(await anext(events))
        await events.aclose()  # type: ignore[attr-defined]
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(leave())
    assert ended == ["nothing was imported. my.jsonl: whoever sent it is gone"]
    assert not place.exists()


def test_a_failure_of_the_server_is_told(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full, say: the command does not wait for an end that never comes."""

    def full(*_of: Any, **_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(data_api, "import_file", full)
    told = sent(served, "", format="jsonl", table="tasks")[-1]["error"]
    assert told.startswith("nothing was imported: the server failed (")
    assert "No space left on device" in told


def store(served: Served, content: bytes, content_type: str) -> str:
    """Uploads a file; gives its id."""
    url = served.files.upload_url(served.hub.engine.database.clock.now_ms())
    path = url.removeprefix(served.files.origin)
    headers = {"Content-Type": content_type}
    answer = served.request("POST", path, content=content, headers=headers)
    found: str = answer.json()["storageId"]
    return found


def stored(served: Served, document_id: str) -> tuple[bytes, str]:
    """A file's bytes and type, as its URL gives them."""
    text = get(served, "/api/data/documents", table="_storage").text
    rows = {row["_id"]: row for row in map(json.loads, text.splitlines())}
    answer = served.request("GET", f"/api/storage/{rows[document_id]['storageId']}")
    return answer.content, answer.headers.get("content-type", "")


def test_stored_files_travel_with_a_snapshot(served: Served, tmp_path: Path) -> None:
    """Asked for, into an empty deployment and over themselves; bytes, types and ids are kept."""
    image, bare = store(served, b"\x89PNG", "image/png"), store(served, b"", "text/plain")
    snapshot = get(served, "/api/data/export", includeStorage="true").content
    with zipfile.ZipFile(io.BytesIO(snapshot)) as archive:
        assert archive.read(f"_storage/{image}.png") == b"\x89PNG"
        rows = [json.loads(line) for line in archive.read("_storage/documents.jsonl").splitlines()]
    assert (rows[0]["_id"], rows[0]["size"], rows[0]["contentType"]) == (image, 4, "image/png")
    assert {"internalId", "sha256", "_creationTime"} <= rows[0].keys()
    other = Served(tmp_path / "other")
    for server, mode in ((other, "empty"), (other, "replace"), (served, "replace")):
        done = sent(server, snapshot, format="zip", mode=mode)[-1]["done"]
        assert done["imported"] == {"tasks": 3, "_storage": 2}
        assert stored(server, image) == (b"\x89PNG", "image/png")
        assert stored(server, bare) == (b"", "text/plain")
    other.close()


def test_a_file_that_is_not_what_its_line_says_is_refused(served: Served, tmp_path: Path) -> None:
    """And what was written of it before is not kept."""
    image = store(served, b"right", "image/png")
    snapshot = get(served, "/api/data/export", includeStorage="true").content
    spoilt = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(snapshot)) as whole,
        zipfile.ZipFile(spoilt, "w") as archive,
    ):
        for name in whole.namelist():
            wrong = name.startswith(f"_storage/{image}")
            archive.writestr(name, b"wrong" if wrong else whole.read(name))
    other = Served(tmp_path / "other")
    error = sent(other, spoilt.getvalue(), format="zip")[-1]["error"]
    assert "_storage/documents.jsonl, line 1: " in error
    assert "SHA-256" in error
    assert titles(other) == []
    other.close()
