"""How all tests run: the budgets of property tests - `gate` daily, `prove` in the long run (`make
prove`) -, the order of files, and what collectors of garbage leave alone.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No deadline: a shared machine is slow at times, and speed lives in benchmarks/.
settings.register_profile(
    "gate", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("prove", settings.get_profile("gate"), max_examples=1500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


_LONG = ("template", "workshop", "scenarios")
"""Folders whose files take longest. They come first, so that no core is idle at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first; the order of tests within a file is as it was."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.relative_to(here).parts[0] not in _LONG)


def pytest_collection_finish() -> None:
    """Collectors need not walk what stays to the end: modules, and thousands of collected tests."""
    gc.collect()
    gc.freeze()
