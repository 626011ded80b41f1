"""How all tests run: the budgets of property tests - `gate` daily, `prove` in the long run (`make
prove`) -, the order of files, how a test that hangs is ended, and what collectors of garbage leave
alone.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# No deadline: a shared machine is slow at times, and speed lives in benchmarks/.
settings.register_profile(
    "gate", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("prove", settings.get_profile("gate"), max_examples=1500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


_TIMER = pytest.StashKey[threading.Timer]()
_LONG = ("template", "workshop", "scenarios")
"""Folders whose files take longest. They come first, so that no core is idle at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first; the order of tests within a file is as it was."""
    long = [Path(__file__).parent / name for name in _LONG]
    items.sort(key=lambda item: not any(item.path.is_relative_to(each) for each in long))


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool | None:
    """A test that hangs fails, where it hangs.

    By a signal of its own: SIGALRM is not free, it keeps the time limits of handlers and of checks.
    """
    if not hasattr(signal, "SIGUSR1"):
        return None

    def fail(_number: int, _frame: Any) -> None:
        pytest.fail(f"it took more than {settings.timeout:g} s")

    signal.signal(signal.SIGUSR1, fail)
    main = threading.main_thread().ident
    timer = threading.Timer(settings.timeout, signal.pthread_kill, (main, signal.SIGUSR1))
    timer.daemon = True
    timer.start()
    item.stash[_TIMER] = timer
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> bool | None:
    """It has ended in time."""
    timer = item.stash.get(_TIMER, None)
    if timer is not None:
        timer.cancel()
    return None


def pytest_collection_finish() -> None:
    """Collectors need not walk what stays to the end: modules, and thousands of collected tests."""
    gc.collect()
    gc.freeze()
