"""Budgets of the property tests: `gate` daily, `prove` in the long run (`make prove`)."""

from __future__ import annotations

import gc
import os

from hypothesis import HealthCheck, settings

# No deadline: a shared machine is slow at times, and speed lives in benchmarks/.
settings.register_profile(
    "gate", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("prove", settings.get_profile("gate"), max_examples=1500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))


def pytest_collection_finish() -> None:
    """Collectors need not walk what stays to the end: modules, and thousands of collected tests."""
    gc.collect()
    gc.freeze()
