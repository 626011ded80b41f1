"""The pytest plugin: `backend` in a project's own tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.headwater.projects import TASKS, write_project

TESTS = """
from backend.tasks import add, titles

def test_one(backend):
    backend.mutation(add, title="a")
    assert backend.query(titles) == ["a"]

def test_two(backend):
    assert backend.query(titles) == []
"""


def pytest_in(root: Path) -> subprocess.CompletedProcess[str]:
    """A run of the project's tests."""
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (root / "test_tasks.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)


def test_each_test_has_a_fresh_backend(tmp_path: Path) -> None:
    """What one wrote the next does not see; functions are imported as usual."""
    ran = pytest_in(write_project(tmp_path, tasks=TASKS))
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr


def test_a_backend_that_does_not_load_is_told(tmp_path: Path) -> None:
    """In one message with file and line, not as a trace."""
    ran = pytest_in(write_project(tmp_path, tasks=TASKS, broken="x = (\n"))
    assert ran.returncode == 4
    assert "backend/broken.py:1:" in ran.stderr
    assert "Traceback" not in ran.stderr
