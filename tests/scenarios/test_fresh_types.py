"""`headwater dev` keeps the frontend's types fresh, and touches nothing without need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.server_process import ServerProcess, wait_for

EXTRA = """
from headwater import QueryCtx, query


@query
async def added(ctx: QueryCtx{argument}) -> int:
    return {number}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A project whose frontend is one of npm, not yet served."""
    process = ServerProcess(tmp_path)
    (process.project / "frontend").mkdir()
    (process.project / "frontend/package.json").write_text("{}")
    try:
        yield process
    finally:
        process.end()


def save(server: ServerProcess, text: str) -> None:
    """Saves a module in one step, as editors do."""
    whole = server.project / "being_saved"
    whole.write_text(text)
    os.replace(whole, server.project / "backend/extra.py")


def test_types_follow_what_is_saved(server: ServerProcess) -> None:
    """Written at the start, and after a save that changes a signature; kept by any other save."""
    generated = server.project / "frontend/_generated"
    server.start("dev")
    wait_for(lambda: (generated / "dataModel.d.ts").exists(), "types are written at the start")
    api = generated / "api.d.ts"

    def is_there() -> bool:
        save(server, EXTRA.format(number=1, argument=""))
        return "added: " in api.read_text()

    wait_for(is_there, "a saved function has its type")
    first = api.stat().st_mtime_ns
    save(server, "this is no Python")
    wait_for(lambda: "does not load" in server.said(), "the broken save is told")
    save(server, EXTRA.format(number=2, argument=""))
    wait_for(lambda: server.call("query", "extra:added") == 2.0, "another result is served")
    assert api.stat().st_mtime_ns == first
    save(server, EXTRA.format(number=2, argument=", day: str = ''"))
    wait_for(lambda: "{ day?: string }" in api.read_text(), "a new argument has its type")
    assert server.said().count("types frontend/_generated: api.js, api.d.ts") == 1


def test_a_project_without_npm_gets_none(tmp_path: Path, server: ServerProcess) -> None:
    """The plain page has no use for them."""
    (server.project / "frontend/package.json").unlink()
    server.start("dev")
    wait_for(lambda: "functions" in server.said(), "it serves")
    assert os.listdir(server.project / "frontend") == []


def test_types_that_cannot_be_written_are_told(server: ServerProcess) -> None:
    """In the terminal; the server serves on."""
    (server.project / "frontend/_generated").write_text("a file in the way")
    server.start("dev")
    wait_for(lambda: "types cannot" in server.said(), "the trouble is told")
    assert server.call("query", "people:whoami") is None
