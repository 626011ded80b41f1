"""A process that runs a project's own tests for a host: `python -I -m headwater.suite_worker`.

It takes `{"turn": 1, "folder": ..., "files": [...]}` from its standard input and answers on its
standard output what became of each test (remote.py has the frames). `time.sleep` is counted and not
slept, and a function of the backend that a test replaces is noted. The folder's files may change
from one run to the next; what it printed goes to standard error.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

import pytest

from headwater.core.functions import Registered
from headwater.host_pipe import HostGone, HostPipe
from headwater.testing import Caller

MOST_SLEEP_S: Final = 120.0  # a test that waits in a loop would never end: nothing is slept here
_TEXT: Final = 300
_OPTIONS: Final = (
    *("-c", os.devnull),
    *("-p", "no:cacheprovider", "-p", "no:terminal", "-p", "headwater.pytest_plugin"),
    *("--capture=sys", "--import-mode=prepend"),
)


class SleptTooLong(BaseException):
    """A test that sleeps and sleeps; not to be caught by it."""


@dataclass
class SuiteRun:
    """What became of one run, as it is told to the host.

    Attributes:
        tests: the outcome of each test by its name: `passed`, `failed` or `skipped`.
        errors: why files could not be collected; short.
        replaced: by the path of a function of the backend, the tests that replaced it.
        slept_s: seconds that `time.sleep` was asked for.
    """

    tests: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    replaced: dict[str, list[str]] = field(default_factory=dict)
    slept_s: float = 0.0
    running: str = ""

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Notes which test begins."""
        self.running = _name(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes the worst of a test's three parts."""
        name = _name(report.nodeid)
        if report.outcome != "passed" or report.when == "call":
            before = self.tests.get(name, "passed")
            self.tests[name] = report.outcome if before == "passed" else before

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keeps why a file could not be imported."""
        if report.failed:
            lines = str(report.longrepr).strip().splitlines()
            said = [line for line in lines if line.startswith("E ")] or lines
            self.errors.append(said[-1].removeprefix("E").strip()[:_TEXT])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Sees afterwards whether a name of the backend stands for something else."""
        functions = _functions()
        try:
            yield
        finally:
            for (module, name), function in functions.items():
                if getattr(sys.modules.get(module), name, None) is not function:
                    self.note(function)

    def note(self, replaced: object) -> None:
        """Notes that the running test put something in the place of a function."""
        path = getattr(replaced, "path", "") or getattr(replaced, "__qualname__", "a function")
        tests = self.replaced.setdefault(str(path)[:_TEXT], [])
        if self.running not in tests:
            tests.append(self.running)

    def sleep(self, seconds: float) -> None:
        """Counts what a test wanted to sleep."""
        self.slept_s += max(0.0, seconds)
        if self.slept_s > MOST_SLEEP_S:
            raise SleptTooLong

    async def sleep_in_loop(self, delay: float, result: Any = None) -> Any:
        """The same for `asyncio.sleep`; others get their turn."""
        self.sleep(delay)
        await _ASYNC_SLEEP(0)
        return result


_ASYNC_SLEEP = asyncio.sleep


def _name(nodeid: str) -> str:
    return nodeid.rpartition("/")[2][:_TEXT]


def _functions() -> dict[tuple[str, str], Registered[Any, Any]]:
    """The functions of the backend, by module and name."""
    modules = [(name, module) for name, module in sys.modules.items() if _is_backend(name)]
    return {
        (name, key): value
        for name, module in modules
        for key, value in list(vars(module).items())
        if isinstance(value, Registered)
    }


def _is_backend(name: str) -> bool:
    return name == "backend" or name.startswith("backend.")


def _of_the_backend(target: object, name: str) -> object | None:
    """What a replacement would take away: a function of the backend, or how it is called."""
    value = getattr(target, name, None)
    if isinstance(value, Registered):
        return value
    if isinstance(target, Registered):
        return target
    called = isinstance(target, Caller) or (isinstance(target, type) and issubclass(target, Caller))
    return value if called and name in ("query", "mutation", "action", "http") else None


@contextmanager
def _watched(run: SuiteRun) -> Iterator[None]:
    """Counts sleeping, and notes what `monkeypatch` and `unittest.mock` replace."""
    set_attribute, enter = pytest.MonkeyPatch.setattr, mock._patch.__enter__

    def setting(self: pytest.MonkeyPatch, target: Any, name: Any, *rest: Any, **more: Any) -> None:
        owner, key = _owner(target), name
        if isinstance(target, str):
            owner, key = _owner(target.rpartition(".")[0]), target.rpartition(".")[2]
        taken = _of_the_backend(owner, str(key))
        if taken is not None:
            run.note(taken)
        set_attribute(self, target, name, *rest, **more)

    def entering(self: Any) -> Any:
        taken = _of_the_backend(self.getter(), self.attribute)
        if taken is not None:
            run.note(taken)
        return enter(self)

    with ExitStack() as stack:
        replacements: list[tuple[object, str, Callable[..., Any]]] = [
            (time, "sleep", run.sleep),
            (asyncio, "sleep", run.sleep_in_loop),
            (pytest.MonkeyPatch, "setattr", setting),
            (mock._patch, "__enter__", entering),
            # pytest opens its log file, if only the null device: no file may be written here.
            (logging.FileHandler, "_open", lambda _handler: io.StringIO()),
        ]
        for target, name, value in replacements:
            stack.callback(setattr, target, name, getattr(target, name))
            setattr(target, name, value)
        yield


def _owner(target: object) -> object:
    """The object a dotted name means, where a test names one; anything else as it is."""
    if not isinstance(target, str):
        return target
    found: object = sys.modules.get(target)
    if found is None and "." in target:
        module, _, name = target.rpartition(".")
        found = getattr(_owner(module), name, None)
    return found


def _forget(folder: str) -> None:
    """Lets go of everything that was imported from a folder: its files are others now."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if _is_backend(name) or name.partition(".")[0] == "tests" or file.startswith(folder):
            del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if not entry.startswith(folder)]


def run_suite(folder: str, files: list[str]) -> dict[str, Any]:
    """Runs test files of a project; what became of them, as plain data."""
    run = SuiteRun()
    _forget(folder)
    sys.path.insert(0, folder)
    started = time.process_time()  # what others do to the machine is not the suite's doing
    paths = [os.path.join(folder, name) for name in files]
    try:
        with _watched(run):
            code = int(
                pytest.main(
                    [*_OPTIONS, "--rootdir", folder, "--confcutdir", folder, *paths], plugins=[run]
                )
            )
    except SleptTooLong:
        code = 2
    finally:
        _forget(folder)
    if code not in (0, 1, 5) and not run.errors:
        run.errors.append("the tests could not be run: does the backend load?")
    return {
        "tests": run.tests,
        "errors": run.errors,
        "replaced": run.replaced,
        "slept_s": run.slept_s,
        "seconds": time.process_time() - started,
    }


def main() -> None:
    """Serves the host that started it."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True
    pipe = HostPipe()
    try:
        while True:
            order = pipe.receive()
            said = run_suite(order["folder"], order["files"])
            pipe.send({"turn": order["turn"], **said})
    except HostGone:
        return


if __name__ == "__main__":
    main()
