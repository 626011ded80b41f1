"""A program in the jail: one answer to each order, and files that are laid before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headwater.pipe import WorkerFailed, WorkerLimits
from headwater_workshop.sandbox.program import JailedProgram

SHOWS = "def shown(page):\n    return ['one']\n"
ORDER = {"do": "show", "queries": []}


@pytest.fixture
def program() -> Iterator[JailedProgram]:
    """One that runs the code of pages."""
    made = JailedProgram("headwater.page_worker", "your page", WorkerLimits(call_s=5.0), 768)
    yield made
    made.close()
    assert not made.folder.exists()


def test_only_the_files_laid_last_are_there(program: JailedProgram) -> None:
    """It runs what was laid, in the one folder it can read."""
    program.lay({"tests/old.py": SHOWS, "backend/deep/more.py": ""})
    program.lay({"tests/page.py": SHOWS})
    found = [each.relative_to(program.folder).as_posix() for each in program.folder.rglob("*.py")]
    assert found == ["tests/page.py"]
    first = {"load": str(program.folder), "module": "tests.page"}
    answers = [program.ask(ORDER, first=first) for _ in range(2)]
    assert [(answer["turn"], answer["shown"]) for answer in answers] == [(1, ["one"]), (2, ["one"])]


def test_who_cannot_start_is_named(program: JailedProgram) -> None:
    """Its first word was to say what to load: without it the process ends."""
    with pytest.raises(WorkerFailed, match="your page: the process ended in the middle"):
        program.ask(ORDER)
