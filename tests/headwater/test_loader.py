"""The loader: all of a backend, or nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.core.placement import InProcess
from headwater.errors import BackendLoadError, RegistrationError, RuleViolation, TimeLimitExceeded
from headwater.loader import load, module_names
from headwater.settings import Limits
from headwater.testing import Backend
from tests.headwater.projects import TASKS, write_project

QUERY = """
from headwater import QueryCtx, query

@query
async def hello(ctx: QueryCtx) -> str:
    return {text}
"""


@pytest.fixture(autouse=True)
def _no_backend_left() -> Iterator[None]:
    """Each test begins and ends without a loaded backend."""
    kept = {name: module for name, module in sys.modules.items() if name.startswith("backend")}
    for name in kept:
        del sys.modules[name]
    yield
    for name in [name for name in sys.modules if name.startswith("backend")]:
        del sys.modules[name]
    sys.modules.update(kept)


def test_every_module_is_imported(tmp_path: Path) -> None:
    """Subfolders are path segments; hidden and private files are left out."""
    root = write_project(
        tmp_path,
        tasks=TASKS,
        actions__simple=QUERY.format(text='"hi"'),
        _generated="1 / 0",
        **{".hidden": "1 / 0"},
    )
    app = load(root)
    assert set(app.functions) == {"tasks:add", "tasks:titles", "tasks:who", "actions/simple:hello"}
    assert module_names(root / "backend") == ["backend.actions.simple", "backend.tasks"]


def test_a_module_may_be_called_as_one_of_the_standard_library(tmp_path: Path) -> None:
    """`backend/` is never on sys.path, so `import logging` means Python's."""
    root = write_project(
        tmp_path,
        logging=QUERY.format(text="logging.getLevelName(10)").replace(
            "\n", "\nimport logging\n", 1
        ),
    )
    assert Backend(InProcess(load(root), Limits())).query("logging:hello") == "DEBUG"


def test_a_folder_without_a_backend_is_refused(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(BackendLoadError, match="headwater new my-app"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ndef f(:\n", r"backend/broken\.py:2: invalid syntax\n    def f\(:"),
        ("x = 1\nimport nothing_like_it\n", r"backend/broken\.py:2: No module named 'nothing"),
        ("def f():\n    return 1 / 0\nf()\n", r"backend/broken\.py:\d: ZeroDivisionError"),
    ],
)
def test_a_module_that_does_not_import_is_named(tmp_path: Path, text: str, message: str) -> None:
    """File, line and reason."""
    with pytest.raises(BackendLoadError, match=message):
        load(write_project(tmp_path, broken=text))


def test_a_circular_import_gets_the_way_out(tmp_path: Path) -> None:
    """Import the module, then use what is in it."""
    root = write_project(
        tmp_path,
        one="from backend.two import there\nhere = 1\n",
        two="from backend.one import here\nthere = 2\n",
    )
    with pytest.raises(BackendLoadError, match="Fix:  import the module instead"):
        load(root)


def test_an_endless_import_is_stopped(tmp_path: Path) -> None:
    """At its limit, with the line it was at."""
    root = write_project(tmp_path, slow="x = 1\nwhile True:\n    x += 1\n")
    with pytest.raises(TimeLimitExceeded, match=r"import of backend .*backend/slow\.py:[23]"):
        load(root, limit_s=0.2)


def test_a_load_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    """Its modules are back, and what they define works."""
    root = write_project(tmp_path, tasks=TASKS)
    old = load(root)
    before = {name: module for name, module in sys.modules.items() if name.startswith("backend")}
    write_project(root, another="1 / 0")
    with pytest.raises(BackendLoadError):
        load(root)
    after = {name: module for name, module in sys.modules.items() if name.startswith("backend")}
    assert after == before
    assert Backend(InProcess(old, Limits())).mutation("tasks:add", {"title": "a"}) == 1


def test_a_second_load_is_a_new_one(tmp_path: Path) -> None:
    """Of what is on disk now, though it was saved within the same second."""
    root = write_project(tmp_path, hello=QUERY.format(text='"one"'))
    first = Backend(InProcess(load(root), Limits()))
    write_project(root, hello=QUERY.format(text='"two"'))
    second = Backend(InProcess(load(root), Limits()))
    assert (first.query("hello:hello"), second.query("hello:hello")) == ("one", "two")
    assert not list(root.rglob("*.pyc"))


def test_another_thread_may_import_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the network's side does when it needs a library for the first time."""
    write_project(tmp_path, tasks=TASKS)
    for number in range(100_000):  # long enough to look through that the other thread has its turn
        monkeypatch.setitem(sys.modules, f"module_{number}", sys)
    monkeypatch.setitem(sys.modules, "new", sys)
    ended = threading.Event()

    def imports() -> None:
        while not ended.is_set():
            if not sys.modules.pop("new", None):
                sys.modules["new"] = sys

    other = threading.Thread(target=imports)
    other.start()
    try:
        for _ in range(5):
            load(tmp_path)
    finally:
        ended.set()
        other.join()


def test_what_cannot_be_served_is_refused(tmp_path: Path) -> None:
    """A type that cannot be sent; a handler that is not async."""
    wrong_type = QUERY.format(text='"a"').replace("-> str", "-> set")
    with pytest.raises(RegistrationError, match=r"backend\.wrong\.hello, return type: set"):
        load(write_project(tmp_path / "one", wrong=wrong_type))
    with pytest.raises(RuleViolation, match="is not `async def`"):
        load(write_project(tmp_path / "two", wrong=QUERY.format(text='"a"').replace("async ", "")))


def test_print_is_a_log_line_of_the_call(tmp_path: Path) -> None:
    """In backend modules, without an import."""
    backend = Backend(InProcess(load(write_project(tmp_path, tasks=TASKS)), Limits()))
    backend.mutation("tasks:add", {"title": "a"})
    assert backend.log_lines == ["[LOG] 'added' 'a'"]
