"""`headwater deploy` on a server in production."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.headwater import projects
from tests.headwater.projects import write_project
from tests.scenarios.server_process import ServerProcess

TASKS = projects.TASKS.replace("collect()", "take(100)")
"""Code that no rule stops."""
NEEDS = """
import headwater

class Settings(headwater.Settings):
    shop_key: str
"""
TYPED = TASKS.replace(
    "import Document, MutationCtx", "import Document, Index, MutationCtx"
).replace("    title: str\n", "    title: str\n    by_title = Index('title')\n", 1)
"""Another version: an index more."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A project in production, with one document."""
    write_project(tmp_path / "project", tasks=TASKS)
    process = ServerProcess(tmp_path, project=tmp_path / "project")
    try:
        process.start("serve")
        process.run("run", "tasks:add", '{"title": "Old"}')
        yield process
    finally:
        process.end()


def deploy(server: ServerProcess, *words: str) -> tuple[int, str]:
    """The exit code of the command and what it said."""
    done = subprocess.run(
        [server.command, "deploy", *words],
        cwd=server.project,
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def states(said: str) -> dict[str, str]:
    """What was looked at, with how it was found."""
    preflight: list[dict[str, Any]] = json.loads(said)["preflight"]
    return {line["what"]: line["state"] for line in preflight}


def test_new_code_is_looked_at_and_then_served(server: ServerProcess) -> None:
    """With what it brings about; a dry run changes nothing."""
    write_project(server.project, tasks=TYPED.replace("async def titles", "async def names"))
    code, said = deploy(server, "--dry-run")
    assert code == 0
    assert "tasks.by_title: filled first" in said
    assert "no longer there for clients: tasks:titles" in said
    assert server.run("run", "tasks:titles") == '[\n  "Old"\n]'
    code, said = deploy(server)
    assert (code, said.splitlines()[-1]) == (0, f"{server.url} serves it.")
    assert server.run("run", "tasks:names") == '[\n  "Old"\n]'


@pytest.mark.prove
def test_documents_that_do_not_fit_keep_the_old_code_serving(server: ServerProcess) -> None:
    """Each by table, id and field."""
    write_project(server.project, tasks=TASKS.replace("    title: str\n", "    title: int\n", 1))
    code, said = deploy(server)
    assert code == 1
    assert "1 stored documents do not fit" in said
    assert "Path: .title" in " ".join(said.split())
    assert server.run("run", "tasks:titles") == '[\n  "Old"\n]'


def test_a_missing_variable_is_told_and_can_be_set(server: ServerProcess) -> None:
    """By the command that the text names."""
    write_project(server.project, settings=NEEDS)
    code, said = deploy(server, "--json")
    assert (code, states(said)["settings"]) == (1, "refused")
    assert "headwater env set SHOP_KEY VALUE" in said
    server.run("env", "set", "SHOP_KEY", "x")
    code, said = deploy(server, "--json")
    assert (code, states(said)["settings"], json.loads(said)["rolled"]) == (0, "ok", True)


@pytest.mark.prove
def test_without_a_server_the_database_itself_is_looked_at(server: ServerProcess) -> None:
    """And the next start serves the code."""
    server.end()
    write_project(server.project, tasks=TASKS.replace("    title: str\n", "    title: int\n", 1))
    code, said = deploy(server)
    assert (code, "1 stored documents do not fit" in said) == (1, True)
    write_project(server.project, tasks=TYPED)
    code, said = deploy(server)
    assert (code, said.splitlines()[-1][:6]) == (0, "Ready:")
