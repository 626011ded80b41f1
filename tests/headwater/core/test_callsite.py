"""Errors name the user's own line, never the runtime's nor a library's."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headwater.core.asking import Asking
from headwater.core.callsite import (
    BACKEND,
    LIBRARY,
    PACKAGE,
    RUNTIME,
    USER,
    Ranks,
    user_site,
    user_trace,
)
from headwater.core.driver import Run
from tests.headwater.core.handlers import Answers

BACKEND_CODE = """\
import asyncio
import json

async def parse(ctx, text):
    return json.loads(text)

async def handler(ctx):
    return await parse(ctx, "{")

async def through(ctx, helper):
    return [await helper(ctx)]

async def forgets(ctx):
    ctx.ask(1)
"""


@pytest.fixture
def functions(tmp_path: Path) -> dict[str, Any]:
    """A backend module's names, compiled under its path as the loader does."""
    path = tmp_path / "backend" / "tasks.py"
    names: dict[str, Any] = {"__name__": "backend.tasks"}
    exec(compile(BACKEND_CODE, path, "exec"), names)
    return names


def failure(root: Path, handler: Callable[[Run], Any]) -> Exception:
    """What driving this handler raises."""
    run = Run(Answers(), function="tasks:handler", kind="query", limit_s=None, root=root)
    try:
        run.drive(handler(run))
    except Exception as error:
        return error
    pytest.fail("it did not fail")


def test_a_trace_is_the_users_chain(tmp_path: Path, functions: dict[str, Any]) -> None:
    """Innermost first, with lines and columns, without frames of json, asyncio and the driver."""
    error = failure(tmp_path, functions["handler"])
    assert isinstance(error, json.JSONDecodeError)
    assert user_trace(error, tmp_path) == [
        ("parse", "backend/tasks.py", 5, 12),
        ("handler", "backend/tasks.py", 8, 12),
    ]
    assert user_site(error, tmp_path) == "backend/tasks.py:5"


def test_the_backend_goes_before_other_code(tmp_path: Path, functions: dict[str, Any]) -> None:
    """A helper outside the project is not the line to look at."""

    async def helper(_ctx: Run) -> None:
        raise LookupError("no")

    error = failure(tmp_path, lambda run: functions["through"](run, helper))
    assert user_trace(error, tmp_path) == [("through", "backend/tasks.py", 11, 13)]


def test_violations_name_the_backend(tmp_path: Path, functions: dict[str, Any]) -> None:
    """A forgotten await is shown relative to the project; asking is done by Asking."""
    assert issubclass(Run, Asking)
    error = failure(tmp_path, functions["forgets"])
    assert "HW205 backend/tasks.py:14  query tasks:handler" in str(error)


def test_the_runtimes_own_frames_are_skipped(tmp_path: Path) -> None:
    """A forgotten ctx call is the line of the user who made it, not the method of ctx."""
    names: dict[str, Any] = {}
    method = "def get(run):\n    return run.ask(1)"
    exec(compile(method, PACKAGE + os.path.join("core", "context.py"), "exec"), names)

    async def handler(run: Run) -> None:
        names["get"](run)

    line = handler.__code__.co_firstlineno + 1
    assert f"{__file__}:{line}" in str(failure(tmp_path, handler))


def test_a_task_group_shows_the_child_that_failed(tmp_path: Path) -> None:
    """The child's line comes first, then that of the group."""

    async def child() -> None:
        raise LookupError("no")

    async def handler(_run: Run) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(child())

    trace = user_trace(failure(tmp_path, handler))
    assert [name.rpartition(".")[2] for name, *_ in trace] == ["child", "handler"]


def test_code_without_backend_is_still_named(tmp_path: Path) -> None:
    """Functions defined in a test or a notebook are the user's too."""

    async def handler(_run: Run) -> None:
        raise LookupError("no")

    file = user_site(failure(tmp_path, handler)).rpartition(":")[0]
    assert os.path.samefile(file, __file__)


def test_an_error_without_user_code_has_no_line() -> None:
    """Nothing is made up."""
    assert user_site(LookupError()) == ""
    assert user_trace(LookupError()) == []


def test_files_have_ranks(tmp_path: Path) -> None:
    """Runtime, libraries, the user's (a notebook's cell too), and the project's backend."""
    ranks = Ranks(tmp_path)
    backend = tmp_path / "backend" / "deep" / "tasks.py"
    assert ranks[str(backend)] == BACKEND
    assert ranks[str(tmp_path / "tests" / "test_tasks.py")] == USER
    assert ranks["<ipython-input-1-abc>"] == USER
    assert ranks[str(tmp_path / ".venv" / "lib" / "site-packages" / "x.py")] == LIBRARY
    assert ranks[json.__file__] == ranks["<frozen importlib._bootstrap>"] == LIBRARY
    assert ranks[Ranks.__init__.__code__.co_filename] == RUNTIME
    assert ranks.shown(str(backend)) == "backend/deep/tasks.py"


def test_a_linked_project_is_found(tmp_path: Path) -> None:
    """Paths count as the project's under its real name and under the link."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    ranks = Ranks(link)
    for root in (real, link):
        assert ranks.shown(str(root / "backend" / "a.py")) == "backend/a.py"
        assert ranks[str(root / "backend" / "a.py")] == BACKEND
