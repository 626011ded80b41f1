"""A learner's own tests in the jail: what became of them, and what they may not do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headwater.pipe import WorkerFailed, WorkerLimits
from headwater_workshop.lab.learner_tests import TestRun, TestRunner

BACKEND = {
    "backend/notes.py": """
from headwater import Document, Id, MutationCtx, QueryCtx, mutation, query


class Note(Document, table="notes"):
    text: str


@mutation
async def write(ctx: MutationCtx, text: str) -> Id[Note]:
    return await ctx.db.insert(Note(text=text))


@query
async def newest(ctx: QueryCtx) -> str:
    found = await ctx.db.query(Note).order("desc").first()
    return "" if found is None else found.text
"""
}
HEAD = """
import pytest
from headwater.testing import Backend
from backend import notes
from backend.notes import newest, write
"""
GOOD = '''
def test_it_keeps(backend: Backend) -> None:
    """What is written is the newest."""
    backend.mutation(write, text="one")
    assert backend.query(newest) == "one"
'''
FORGETS = {"backend/notes.py": BACKEND["backend/notes.py"].replace("else found.text", "else ''")}
UPPER = {"backend/notes.py": BACKEND["backend/notes.py"].replace("text=text", "text=text.upper()")}


@pytest.fixture(scope="module")
def runner() -> Iterator[TestRunner]:
    """One process for all: that is how a lesson runs many backends."""
    made = TestRunner(WorkerLimits(call_s=5.0))
    yield made
    made.close()


def ran(runner: TestRunner, tests: str, backend: dict[str, str] | None = None) -> TestRun:
    """A run of one file of tests."""
    return runner.run(backend or BACKEND, {"tests/test_notes.py": HEAD + tests})


def names(tests: tuple[str, ...]) -> list[str]:
    """The tests' names without their file."""
    return [name.rpartition("::")[2] for name in tests]


def test_each_run_meets_the_backend_it_was_given(runner: TestRunner) -> None:
    """Nothing of the run before is left: neither modules nor files."""
    for backend, accepted in ((BACKEND, True), (UPPER, False), (FORGETS, False), (BACKEND, True)):
        assert ran(runner, GOOD, backend).accepts is accepted


def test_outcomes_are_told_apart(runner: TestRunner) -> None:
    """Passed, failed (also in a fixture) and skipped."""
    run = ran(
        runner,
        GOOD
        + """
@pytest.fixture
def broken():
    raise ValueError("no")

def test_fails(): assert 1 == 2
def test_cannot_begin(broken): pass
@pytest.mark.skip
def test_later(): pass
""",
    )
    assert names(run.passed) == ["test_it_keeps"]
    assert names(run.failed) == ["test_cannot_begin", "test_fails"]
    assert names(run.skipped) == ["test_later"]


def test_a_file_that_cannot_be_imported_says_why(runner: TestRunner) -> None:
    """It is no failed test: nothing was tested."""
    run = ran(runner, "from backend.notes import missing\n")
    assert run.passed == run.failed == ()
    assert "cannot import name 'missing'" in run.errors[0]


def test_a_backend_that_does_not_load_is_an_error(runner: TestRunner) -> None:
    """It is neither accepted, nor does it end the process."""
    run = ran(runner, GOOD, {"backend/notes.py": "raise ValueError('no')\n"})
    assert not run.accepts
    assert "does the backend load" in run.errors[0]


def test_sleeping_is_counted_and_costs_nothing(runner: TestRunner) -> None:
    """Whether it is `time.sleep` or that of asyncio."""
    run = ran(
        runner,
        """
import asyncio, time
def test_waits(backend):
    time.sleep(30)
    asyncio.run(asyncio.sleep(8))
""",
    )
    assert names(run.passed) == ["test_waits"]
    assert run.slept_s == 38.0
    assert run.seconds < 5.0


@pytest.mark.parametrize(
    "replacing",
    [
        "monkeypatch.setattr(notes, 'newest', lambda: 'one')",
        "monkeypatch.setattr('backend.notes.newest', lambda: 'one')",
        "monkeypatch.setattr(notes.newest, 'handler', lambda: 'one')",
        "monkeypatch.setattr(backend, 'query', lambda *a: 'one')",
        "mock.patch('backend.notes.newest').start()",
        "mock.patch.object(notes, 'newest').__enter__()",
        "notes.newest = lambda: 'one'",
    ],
)
def test_a_function_that_is_replaced_is_noted(runner: TestRunner, replacing: str) -> None:
    """In whichever way: with the test that did it."""
    run = ran(
        runner,
        f"from unittest import mock\ndef test_it(backend, monkeypatch):\n    {replacing}\n",
    )
    assert names(run.passed) == ["test_it"]
    ((path, tests),) = run.replaced.items()
    assert path in ("notes:newest", "Caller.query")
    assert names(tests) == ["test_it"]


def test_replacing_what_is_around_the_backend_is_nobodys_business(runner: TestRunner) -> None:
    """A library's function, a variable of the environment."""
    run = ran(
        runner,
        """
def test_it(backend, monkeypatch):
    monkeypatch.setattr("json.dumps", lambda value: "")
    monkeypatch.setenv("KEY", "x")
    backend.mutation(write, text="one")
""",
    )
    assert run.accepts
    assert run.replaced == {}


def test_the_jail_holds_for_tests_too(runner: TestRunner) -> None:
    """No network, no file, no process; and it cannot look around."""
    run = ran(
        runner,
        """
import os, pathlib, socket, subprocess, sys
@pytest.mark.parametrize("reach", [
    lambda: socket.create_connection(("127.0.0.1", 9), 1),
    lambda: pathlib.Path("tests/left.txt").write_text("x"),
    lambda: subprocess.run([sys.executable, "-c", ""]),
    lambda: os.listdir("/tmp"),
])
def test_it(reach):
    with pytest.raises(OSError) as refused:
        reach()
    assert refused.value.errno in (1, 13)
""",
    )
    assert (len(run.passed), run.failed) == (4, ())


@pytest.mark.parametrize(
    ("tests", "word"),
    [
        ("import os\nos._exit(0)\n", "ended in the middle"),
        ("def test_it():\n    while True: pass\n", "gave no answer in time"),
    ],
)
def test_a_process_that_misbehaves_is_ended_and_the_next_run_has_a_new_one(
    tests: str, word: str
) -> None:
    """What it did is said; the tests of the next backend run."""
    runner = TestRunner(WorkerLimits(load_s=20.0, call_s=1.0))
    try:
        assert ran(runner, GOOD).accepts
        with pytest.raises(WorkerFailed, match=word):
            ran(runner, tests)
        assert ran(runner, GOOD).accepts
    finally:
        runner.close()
