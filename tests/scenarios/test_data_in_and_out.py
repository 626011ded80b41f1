"""Snapshots and imports of a running server, and kill -9 in the middle of one."""

import base64
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headwater.core.catalog import Catalog
from headwater.core.ids import make_id
from headwater.core.storage.sqlite import SqliteStorage
from headwater.errors import StorageBusy
from tests.scenarios.conftest import OpenRaw, StartServer
from tests.scenarios.server_process import ServerProcess, wait_for

MANY = 8_000
VERY_MANY = 20_000


def rows_file(folder: Path, many: int, assignee: str) -> Path:
    """A file of tasks."""
    path = folder / f"{assignee}.jsonl"
    with path.open("w") as file:
        for number in range(many):
            file.write(json.dumps({"title": f"{number}", "completed": False, "assignee": assignee}))
            file.write("\n")
    return path


def tables(server: ServerProcess) -> dict[str, int]:
    """Documents by table."""
    return {look["name"]: look["documents"] for look in json.loads(server.run("data", "--json"))}


def test_a_client_is_shown_an_import_at_once(
    start_server: StartServer, open_raw: OpenRaw, tmp_path: Path
) -> None:
    """It follows a query on a table that is replaced; then the snapshot from before comes back."""
    server = start_server()
    client = open_raw(server)
    client.add(0, "tasks:list", assignee="ana")
    path = rows_file(tmp_path, 3, "ana")
    assert server.run("import", str(path), "--table", "tasks") == "tasks: 3 documents imported"
    client.until(lambda: len(client.results[0]["value"]) == 3)
    kept = client.results[0]["value"]
    said = server.run("export", "--path", str(tmp_path / "out.zip"))
    assert said.startswith("wrote ")
    server.call("mutation", "tasks:create", title="more", assignee="ana")
    client.until(lambda: len(client.results[0]["value"]) == 4)
    server.run("import", str(tmp_path / "out.zip"), "--replace", "--yes")
    client.until(lambda: client.results[0]["value"] == kept)


def begin(server: ServerProcess, *words: str) -> subprocess.Popen[bytes]:
    """A command that goes on while the test does something else."""
    return subprocess.Popen(
        [server.command, *words],
        cwd=server.project,
        env=server.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def staged(server: ServerProcess) -> int:
    """How many bytes of an import are laid aside."""
    found = (server.project / ".headwater").glob("import-*/import.staging*")
    return sum(file.stat().st_size for file in found)


@pytest.mark.parametrize("at", [1, pytest.param(900_000, marks=pytest.mark.prove)])
def test_kill_in_the_middle_of_an_import(
    at: int, start_server: StartServer, tmp_path: Path
) -> None:
    """Nothing of it is there afterwards, all of what was there before is; and it can be redone."""
    server = start_server()
    server.run("import", str(rows_file(tmp_path, 50, "old")), "--table", "tasks")
    path = str(rows_file(tmp_path, MANY, "new"))
    command = begin(server, "import", path, "--table", "tasks", "--replace", "--yes")
    wait_for(lambda: staged(server) >= at, f"{at} bytes are staged")
    server.kill()
    _, said = command.communicate(timeout=20)
    assert command.returncode == 1
    assert b"Traceback" not in said
    server.start()
    assert tables(server)["tasks"] == 50
    assert len(server.call("query", "tasks:list", assignee="old")) == 50
    assert staged(server) == 0
    assert list((server.project / ".headwater").glob("import-*")) == []


def files_zip(path: Path, many: int) -> dict[str, bytes]:
    """A snapshot with one task and this many stored files; gives their bytes by uuid."""
    stored, rows = {}, []
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(many):
            content = f"{number}".encode() * 4_000
            uuid = f"00000000-0000-4000-8000-{number:012}"
            document_id = make_id(2**21 + 7, number.to_bytes(14, "big"), 1e12)
            sha256 = base64.b64encode(hashlib.sha256(content).digest()).decode()
            row = {"_id": document_id, "_creationTime": 1e12 + number, "internalId": uuid}
            rows.append(
                {**row, "sha256": sha256, "size": len(content), "contentType": "text/plain"}
            )
            archive.writestr(f"_storage/{document_id}.txt", content)
            stored[uuid] = content
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        archive.writestr("_storage/documents.jsonl", lines)
        task = {"title": "a", "assignee": "ana", "completed": False}
        archive.writestr("tasks/documents.jsonl", json.dumps(task))
    return stored


@pytest.mark.prove
def test_files_travel_and_a_kill_leaves_none(start_server: StartServer, tmp_path: Path) -> None:
    """Killed while files are written: no row and no bytes stay. Redone, each is served as it was,
    and goes out as it came in.
    """
    server, path = start_server(), tmp_path / "files.zip"
    stored = files_zip(path, 120)
    folder = server.project / ".headwater" / "files"
    command = begin(server, "import", str(path))
    wait_for(lambda: sum(1 for _ in folder.glob("*")) > 20, "files are written")
    server.kill()
    command.communicate(timeout=20)
    server.start()
    assert {n: tables(server)[n] for n in ("tasks", "_storage")} == {"tasks": 0, "_storage": 0}
    wait_for(lambda: not list(folder.glob("*")), "what no row names is removed")
    done = json.loads(server.run("import", str(path), "--json"))
    assert done["imported"] == {"tasks": 1, "_storage": 120}
    uuid = list(stored)[77]
    assert server.fetch(f"/api/storage/{uuid}") == (200, stored[uuid].decode())
    out = tmp_path / "out.zip"
    server.run("export", "--path", str(out), "--include-file-storage")
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(out) as after:
        names = [name for name in before.namelist() if name.endswith(".txt")]
        assert len(names) == 120
        assert [after.read(name) for name in names] == [before.read(name) for name in names]


@pytest.mark.prove
def test_the_recipe_of_the_guide_fills_a_field(start_server: StartServer, tmp_path: Path) -> None:
    """`headwater run` begins it; it goes on by itself, a page at a time, across a kill too."""
    server = start_server()
    server.run("import", str(rows_file(tmp_path, 600, "ana")), "--table", "tasks")
    guide = (Path(__file__).parents[2] / "docs/guides/schema-changes.md").read_text()
    recipe = guide.split('```python title="backend/migrations.py"\n')[1].split("```")[0]
    (server.project / "backend" / "migrations.py").write_text(recipe)

    def filled() -> int:
        found = server.call("query", "tasks:list", assignee="ana")
        return sum(task.get("priority") == "medium" for task in found)

    wait_for(lambda: "reloaded" in server.said(), "the recipe is loaded")
    assert server.run("run", "migrations:fill_priority", '{"numItems": 3}') == "3"
    server.restart()
    wait_for(lambda: filled() == 600, "all tasks are filled")
    jobs = json.loads(server.run("data", "_scheduled_functions", "--limit", "1000", "--json"))
    assert len(jobs) == 600 // 3  # the last page of three is full, so one more looks for the end
    assert {job["state"]["kind"] for job in jobs} == {"success"}


def import_all(server: ServerProcess, path: Path) -> None:
    """Replaces the tasks."""
    server.run("import", str(path), "--table", "tasks", "--replace", "--yes")


def killed_while_importing(server: ServerProcess, path: Path, *, writing: bool) -> None:
    """Kills the server while a file is read, or while its rows take effect."""
    wal = server.project / ".headwater" / "data.sqlite3-wal"
    size = wal.stat().st_size
    command = begin(server, "import", str(path), "--table", "tasks", "--replace", "--yes")
    wait_for(lambda: staged(server) > 0 or command.poll() is not None, "staging begins")
    if writing:
        wait_for(lambda: wal.stat().st_size != size or command.poll() is not None, "it writes")
    server.kill()
    command.communicate(timeout=20)


@pytest.mark.prove
def test_kill_at_any_moment_of_an_import(start_server: StartServer, tmp_path: Path) -> None:
    """All of the old or all of the new, also when it takes effect just then."""
    server = start_server()
    old, new = rows_file(tmp_path, 4_000, "old"), rows_file(tmp_path, 8_000, "new")
    seen = set()
    import_all(server, old)
    for moment in range(6):
        killed_while_importing(server, new, writing=moment % 2 == 1)
        server.start()
        seen.add(tables(server)["tasks"])
        assert seen <= {4_000, 8_000}
        import_all(server, old)


@pytest.mark.prove
def test_a_large_snapshot_is_of_one_moment(start_server: StartServer, tmp_path: Path) -> None:
    """Mutations go on while it is taken; it has every task, and the counter as it once was."""
    server = start_server()
    server.run("import", str(rows_file(tmp_path, MANY, "filler")), "--table", "tasks")
    path = tmp_path / "out.zip"
    command = begin(server, "export", "--path", str(path))
    calls = 0
    while command.poll() is None:
        server.call("mutation", "counters:increment", name="a")
        calls += 1
    _, said = command.communicate(timeout=20)
    assert command.returncode == 0, said
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert len(archive.read("tasks/documents.jsonl").splitlines()) == MANY
        found: list[Any] = [
            json.loads(line) for line in archive.read("counters/documents.jsonl").splitlines()
        ]
    assert all(counter["value"] <= calls for counter in found)
    assert calls > 1


SCHEMA = 'by_assignee = Index("assignee")'
FURTHER = SCHEMA + '\n    by_title = Index("title", "assignee")'
LOOK = '''
from backend.schema import Task
from headwater import QueryCtx, query

@query
async def indexed(ctx: QueryCtx, start: str) -> int:
    """How many tasks there are from a title on."""
    page = ctx.db.query(Task).with_index("by_title", title__gte=start, title__lt=start + "~")
    return len(await page.collect())
'''


def save(server: ServerProcess, change: Callable[[str], str]) -> None:
    """Saves the schema in one step, as editors do."""
    path = server.project / "backend" / "schema.py"
    whole = server.project / "being_saved"
    whole.write_text(change(path.read_text()))
    os.replace(whole, path)


def opened(server: ServerProcess) -> SqliteStorage | None:
    """The database, once the system has let it go."""
    with contextlib.suppress(StorageBusy):
        return SqliteStorage(server.project / ".headwater" / "data.sqlite3")
    return None


def unfinished(server: ServerProcess) -> list[str]:
    """The indexes that the database of a dead server has still to fill."""
    storage = wait_for(lambda: opened(server), "its last process is gone")
    assert storage is not None
    names = [name for _, name, _ in Catalog.load(storage).unfilled()]
    storage.close()
    return names


@pytest.mark.prove
def test_kill_in_the_middle_of_a_backfill(start_server: StartServer, tmp_path: Path) -> None:
    """The old backend serves while the index is filled; after the kill the new one goes on where
    the old process was, says so meanwhile, and has the index exact in the end.
    """
    server = start_server()
    server.run("import", str(rows_file(tmp_path, VERY_MANY, "ana")), "--table", "tasks")
    save(server, lambda text: text.replace(SCHEMA, FURTHER))
    wait_for(lambda: "the new version waits" in server.said(), "the index is being filled")
    server.kill()
    assert unfinished(server)
    (server.project / "backend" / "look.py").write_text(LOOK)
    assert "reloaded" not in server.said()
    server.start()

    def answer() -> Any:
        body = {"path": "look:indexed", "args": {"start": "1"}}
        return json.loads(server.post("/api/query", body)[1])

    first = answer()
    if first["status"] == "error":
        assert "Index tasks.by_title is currently backfilling" in first["errorMessage"]
    wait_for(lambda: answer()["status"] == "success", "the index is whole")
    expected = sum(str(number).startswith("1") for number in range(VERY_MANY))
    assert answer()["value"] == expected


@pytest.mark.prove
def test_the_serving_process_killed_in_a_backfill_of_a_starting_server(
    start_server: StartServer, tmp_path: Path
) -> None:
    """Again and again: each process does some of it, and the last one finds nothing missing."""
    server = start_server("serve")
    server.run("import", str(rows_file(tmp_path, VERY_MANY, "ana")), "--table", "tasks")
    server.stop()
    save(server, lambda text: text.replace(SCHEMA, FURTHER))
    (server.project / "backend" / "look.py").write_text(LOOK)
    server.start("serve")
    for _ in range(2):
        os.kill(server.serving_pid(), signal.SIGKILL)
        wait_for(server.answers, "it is back")

    def count() -> Any:
        body = {"path": "look:indexed", "args": {"start": "2"}}
        return json.loads(server.post("/api/query", body)[1]).get("value")

    expected = sum(str(number).startswith("2") for number in range(VERY_MANY))
    wait_for(lambda: count() == expected, "the index is whole")
