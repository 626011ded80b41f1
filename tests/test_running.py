"""How tests run here, shown on tests of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = """
import time

def test_hangs():
    while True:
        time.sleep(1)

def test_runs():
    pass
"""


def test_a_test_that_hangs_fails_where_it_hangs(tmp_path: Path) -> None:
    """The one after it runs."""
    (tmp_path / "test_it.py").write_text(TESTS)
    how = ["-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"), "-o", "timeout=1"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *how, "-p", "no:cacheprovider", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "it took more than 1 s" in ended.stdout
    assert "time.sleep(1)" in ended.stdout
    assert "1 failed, 1 passed" in ended.stdout
