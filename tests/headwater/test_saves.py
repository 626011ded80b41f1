"""When a project is to be loaded again: after each save, wherever it fell."""

from __future__ import annotations

from pathlib import Path

import pytest

from headwater.environment import Environment
from headwater.saves import files_of, saves


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """A backend of one file."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "notes.py").write_text("first")
    return tmp_path / "backend"


def test_a_save_between_the_load_and_the_watching_is_not_lost(backend: Path) -> None:
    """The files are others than those that were loaded."""
    environment = Environment(backend.parent, dev=True)
    loaded = files_of(environment, backend)
    (backend / "tasks.py").write_text("saved meanwhile")
    next(saves(backend, environment, loaded))


def test_variables_saved_before_the_watching_are_not_lost_either(backend: Path) -> None:
    """A `.env` counts as the code does."""
    environment = Environment(backend.parent, dev=True)
    loaded = files_of(environment, backend)
    (backend.parent / ".env").write_text("GREETING=hello\n")
    next(saves(backend, environment, loaded))


def test_what_is_no_code_and_no_variable_is_not_loaded(backend: Path) -> None:
    """The turn is for the code that is saved after it."""
    environment = Environment(backend.parent, dev=True)
    loaded = files_of(environment, backend)
    turns = saves(backend, environment, {})
    next(turns)
    (backend / "notes.txt").write_text("no code")
    assert files_of(environment, backend) == loaded
    (backend / "notes.py").write_text("second")
    next(turns)


def test_a_backend_that_was_replaced_is_loaded_again(backend: Path, tmp_path: Path) -> None:
    """The folder is another one, as after `git stash`."""
    environment = Environment(tmp_path, dev=True)
    turns = saves(backend, environment, {})
    next(turns)
    backend.rename(tmp_path / "before")
    backend.mkdir()
    (backend / "notes.py").write_text("second")
    next(turns)
