"""`headwater data`, `export` and `import` in a project that no server runs in."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from headwater.cli import app
from headwater.cli.data import _cell
from headwater.core.storage.sqlite import SqliteStorage
from headwater.settings import STATE
from tests.headwater.data.doors import lines
from tests.headwater.projects import TASKS, write_project

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The program, in a project with two tasks."""
    monkeypatch.chdir(write_project(tmp_path, tasks=TASKS))
    (tmp_path / "two.jsonl").write_text(lines({"title": "a"}, {"title": "b"}))

    def invoke(*words: str, **options: str) -> Result:
        return CliRunner().invoke(app, [*words], **options)  # type: ignore[arg-type]

    assert invoke("import", "two.jsonl", "--table", "tasks").exit_code == 0
    return invoke


def titles(run: Run) -> list[str]:
    """What is stored, the oldest first."""
    found = json.loads(run("data", "tasks", "--json", "--order", "asc").stdout)
    return [document["title"] for document in found]


def test_tables_and_documents_are_listed(run: Run) -> None:
    """For people, or for programs: a pipe gets a line of JSON for each document."""
    assert "tasks" in run("data").stdout
    (tasks, *_) = json.loads(run("data", "--json").stdout)
    assert (tasks["name"], tasks["documents"]) == ("tasks", 2)
    newest = run("data", "tasks", "--limit", "1").stdout
    assert json.loads(newest)["title"] == "b"
    shown = run("data", "tasks", "--format", "table").stdout
    assert "title" in shown
    assert "_creationTime" in shown
    missing = run("data", "nothing")
    assert (missing.exit_code, "there is no table 'nothing'" in missing.stderr) == (1, True)


def test_a_snapshot_goes_out_and_in(run: Run, tmp_path: Path) -> None:
    """And is only there when it is whole."""
    assert run("export", "--path", "out.zip").stdout.startswith("wrote out.zip (")
    assert zipfile.is_zipfile("out.zip")
    assert not list(tmp_path.glob("*.part"))
    run("import", "two.jsonl", "--table", "tasks", "--append")
    assert titles(run) == ["a", "b", "a", "b"]
    done = run("import", "out.zip", "--replace", "--yes")
    assert done.stdout == "tasks: 2 documents imported, in place of 4\n"
    assert titles(run) == ["a", "b"]


def test_programs_read_what_was_done(run: Run, tmp_path: Path) -> None:
    """One JSON object, and no bar where nobody watches."""
    out = run("export", "--path", "out.zip", "--json")
    assert json.loads(out.stdout) == {
        "path": "out.zip",
        "bytes": (tmp_path / "out.zip").stat().st_size,
    }
    done = run("import", "out.zip", "--replace", "--yes", "--json")
    assert json.loads(done.stdout) == {"imported": {"tasks": 2}, "removed": {"tasks": 2}}
    assert out.stderr == done.stderr == ""


def test_a_terminal_is_shown_a_bar(run: Run, tmp_path: Path) -> None:
    """On standard error, so that the output can still be piped."""
    ours, theirs = pty.openpty()
    command = Path(sysconfig.get_path("scripts")) / "headwater"
    ended = subprocess.run(
        [command, "import", "two.jsonl", "--table", "tasks", "--append", "--json"],
        cwd=tmp_path,
        env=dict(os.environ) | {"TERM": "xterm", "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=20,
        check=True,
    )
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    os.close(theirs)
    assert json.loads(ended.stdout)["imported"] == {"tasks": 2}
    assert "reading" in shown or "writing" in shown or "starting" in shown
    assert "\x1b[" in shown
    assert len(titles(run)) == 4


def test_deleting_is_asked_for(run: Run) -> None:
    """With what would go; without a yes nothing does."""
    command = ("import", "two.jsonl", "--table", "tasks", "--replace")
    asked = run(*command, input="n\n")
    assert "This deletes documents: 2 of tasks. Go on?" in asked.stderr
    assert asked.exit_code == 1
    assert run(*command).exit_code == 1  # nobody there to ask
    assert run(*command, input="y\n").exit_code == 0
    assert titles(run) == ["a", "b"]


def test_what_is_wrong_is_said_before_anything_happens(run: Run, tmp_path: Path) -> None:
    """Wrong use is code 2; a wrong file 1, with its line."""
    (tmp_path / "bad.jsonl").write_text(lines({"title": 7}))
    (tmp_path / "plain").write_text("x")
    for words, said in (
        (("import", "none.zip"), "there is no file none.zip"),
        (("import", "plain"), "--format zip, jsonl, json, csv"),
        (("import", "two.jsonl"), "Say --table NAME"),
        (("import", "two.jsonl", "--table", "tasks", "--append", "--replace"), "exclude"),
        (("export", "--path", "."), "is a folder"),
        (("export", "--path", "none/out.zip"), "cannot be written"),
    ):
        ended = run(*words)
        assert (ended.exit_code, said in ended.stderr) == (2, True), ended.stderr
    ended = run("import", "bad.jsonl", "--table", "tasks", "--append")
    assert ended.exit_code == 1
    assert "nothing was imported. bad.jsonl, line 1: " in ended.stderr
    assert titles(run) == ["a", "b"]


def test_a_database_that_somebody_has_is_left_alone(run: Run, tmp_path: Path) -> None:
    """A server that starts, or is hung: it says who may have it."""
    holder = SqliteStorage(tmp_path / STATE / "data.sqlite3")
    ended = run("data")
    holder.close()
    assert (ended.exit_code, "is in use by another process" in ended.stderr) == (1, True)


def test_another_address_is_never_replaced_by_the_file_here(run: Run) -> None:
    """Who names a server means it."""
    ended = run("data", "--url", "http://127.0.0.1:1")
    assert ended.exit_code == 1
    assert "no Headwater server answers" in ended.stderr


def test_a_cell_is_one_line_without_control_codes() -> None:
    """What a client stored must not move the terminal's cursor."""
    assert _cell("a\x1b[2Jb\nc") == "a\\x1b[2Jb\\nc"
    assert _cell({"a": [1.0]}) == '{"a":[1.0]}'
    assert len(_cell("x" * 99)) == 60
