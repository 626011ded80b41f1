"""The pytest plugin: the `backend` fixture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from headwater.core.placement import InProcess
    from headwater.testing import Backend


@pytest.fixture(scope="session")
def headwater_root(pytestconfig: pytest.Config) -> Path:
    """The project's folder: where pytest's configuration is. Override it to test another."""
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def headwater_placement(headwater_root: Path) -> InProcess:
    """The project's backend, imported once for all tests."""
    from headwater.core.placement import InProcess
    from headwater.loader import load
    from headwater.settings import Limits

    limits = Limits()
    return InProcess(load(headwater_root, limits.load_limit_s), limits)


@pytest.fixture
def backend(headwater_placement: InProcess) -> Iterator[Backend]:
    """A fresh backend for one test: an empty database in memory and a clock moved by hand."""
    from headwater.testing import Backend

    made = Backend(headwater_placement)
    yield made
    made.close()
