"""Saving while clients are connected: they go on with the newest backend that works."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.conftest import OpenRaw, StartServer
from tests.scenarios.raw_client import RawClient
from tests.scenarios.server_process import ServerProcess, wait_for

SAVES = 50
EXTRA = """
from headwater import QueryCtx, query

@query
async def number(ctx: QueryCtx) -> int:
    return {number}
"""


class Project:
    """A served project, with a module of its own that the test saves, and a client of it."""

    def __init__(self, server: ServerProcess, client: RawClient) -> None:
        self.server, self.client = server, client
        self.folder = server.project / "backend"

    def save(self, text: str, name: str = "extra.py") -> None:
        """Saves a module in one step, as editors do."""
        whole = self.folder.with_name("being_saved")
        whole.write_text(text)
        os.replace(whole, self.folder / name)

    def save_number(self, number: int) -> None:
        """Saves a query that gives a number."""
        self.save(EXTRA.format(number=number))

    def is_watched(self) -> bool:
        """Saves the query, until it is seen for the first time."""
        self.save_number(1)
        return "reloaded" in self.server.said()

    def follow(self) -> None:
        """Follows that query."""
        self.client.add(0, "extra:number")

    def shows(self, number: int) -> None:
        """Waits until the client is shown the number."""
        self.client.until(lambda: self.client.results[0].get("value") == number)

    def fails(self, text: str) -> None:
        """Waits until the client is told that its query failed so."""
        self.client.until(lambda: text in self.client.results[0].get("errorMessage", ""))

    def says(self, text: str) -> None:
        """Waits until the terminal of `headwater dev` shows a text."""
        wait_for(lambda: text in self.server.said(), f"the terminal shows {text!r}")


@pytest.fixture
def project(start_server: StartServer, open_raw: OpenRaw) -> Project:
    """A project in `headwater dev`."""
    server = start_server()
    made = Project(server, open_raw(server))
    wait_for(made.is_watched, "a save is seen")
    made.follow()
    return made


def test_a_saved_result_is_pushed(project: Project) -> None:
    """Of a function that is followed, with the socket as it was."""
    project.save_number(2)
    project.shows(2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def (:", "extra.py:1: invalid syntax"),
        ("1 // 0", "extra.py:1: ZeroDivisionError"),
        ("import sys\nsys.exit(3)", "SystemExit"),
        ("from headwater import query\n@query\ndef f(ctx): ...", "does not load"),
    ],
)
def test_a_backend_that_does_not_load_changes_nothing(
    project: Project, text: str, said: str
) -> None:
    """The last one stays live, and the terminal says why; mended, the newest is served."""
    project.save(text)
    project.says(said)
    assert project.client.mutate(0, "counters:increment", name="meanwhile")["result"] == 1
    project.save_number(3)
    project.shows(3)


def test_a_function_that_goes_fails_until_it_is_back(project: Project) -> None:
    """Removed, of another kind, or in another file."""
    project.save("")
    project.fails("Could not find public function for 'extra:number'")
    project.save_number(4)
    project.shows(4)
    project.save(EXTRA.replace("query", "mutation").replace("Query", "Mutation").format(number=5))
    project.fails("defined as a mutation")
    (project.folder / "extra.py").unlink()
    project.fails("Could not find public function")
    project.save_number(6)
    project.shows(6)


def test_a_schema_that_does_not_fit_is_refused(project: Project) -> None:
    """Stored documents come first: the old code goes on until the new one fits them."""
    assert project.client.mutate(0, "counters:increment", name="stored")["result"] == 1
    schema = (project.folder / "schema.py").read_text()
    field = "    value: int"
    assert field in schema
    project.save(schema.replace(field, f"{field}\n    owner: str"), "schema.py")
    project.says("Object is missing the required field `owner`")
    assert project.client.mutate(1, "counters:increment", name="stored")["result"] == 2
    project.save(schema.replace(field, f"{field}\n    owner: str | None = None"), "schema.py")
    project.save_number(7)
    project.shows(7)
    assert project.client.mutate(2, "counters:increment", name="stored")["result"] == 3


def replaced(folder: Path) -> None:
    """The folder deleted, and another put in its place."""
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    shutil.rmtree(folder)
    copy.rename(folder)


def moved(folder: Path) -> None:
    """The folder moved away and back."""
    away = folder.with_name("away")
    folder.rename(away)
    away.rename(folder)


@pytest.mark.parametrize("change", [replaced, moved])
def test_a_folder_put_anew_is_watched_again(
    project: Project, change: Callable[[Path], None]
) -> None:
    """As `git checkout` and template updates do; what is saved afterwards is served."""
    (project.folder / "extra.py").write_text(EXTRA.format(number=7))
    project.shows(7)
    change(project.folder)
    for number in (8, 9):
        project.save_number(number)
        project.shows(number)


def test_a_storm_of_saves_ends_with_the_last(project: Project) -> None:
    """Nobody is disconnected, and the newest is served."""
    before = project.server.serving_pid()
    for number in range(SAVES):
        project.save_number(100 + number)
    project.shows(100 + SAVES - 1)
    assert project.server.serving_pid() == before
