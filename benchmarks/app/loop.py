"""The unit test loop on Headwater: a fresh in-memory backend, create, list, toggle, list.

`python -m benchmarks.app.loop COUNT` prints one line of JSON, as the loop on convex-test does.
"""

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from headwater.core.placement import InProcess
from headwater.loader import load
from headwater.settings import GUARDED, Limits
from headwater.testing import Backend


def one_test(placement: InProcess, tasks: Any) -> None:
    """One test, as the `backend` fixture would run it."""
    backend = Backend(placement)
    task_id = backend.mutation(tasks.create, board="home", title="Write")
    before = backend.query(tasks.newest, board="home", count=100)
    assert len(before) == 1
    assert not before[0].completed
    backend.mutation(tasks.toggle, id=task_id)
    after = backend.query(tasks.newest, board="home", count=100)
    assert after[0].completed
    backend.close()


def main(count: int) -> None:
    """Load the backend once, as a test session does; warm up; run and time the tests."""
    limits = Limits()
    placement = InProcess(load(Path(__file__).parent, limits.load_limit_s), limits, GUARDED)
    tasks = importlib.import_module("backend.tasks")
    for _ in range(min(count, 50)):
        one_test(placement, tasks)
    started = time.perf_counter()
    for _ in range(count):
        one_test(placement, tasks)
    print(json.dumps({"tests": count, "seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
