"""The pytest plugin: the fixtures `backend` and `fake_http`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from headwater.core.placement import InProcess
    from headwater.fake_http import FakeHttp
    from headwater.testing import Backend


_LOADED = pytest.StashKey["InProcess"]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Imports the project's backend before any test or conftest does.

    Loading imports every module of it afresh; who had imported one before would hold functions
    that belong to no loaded backend.
    """
    if not (early_config.rootpath / "backend").is_dir():
        return
    from headwater.errors import HeadwaterError

    try:
        early_config.stash[_LOADED] = _loaded(early_config.rootpath)
    except HeadwaterError as error:
        raise pytest.UsageError(f"the backend does not load\n{error.message}") from None


def _loaded(root: Path) -> InProcess:
    from headwater.core.placement import InProcess
    from headwater.loader import load
    from headwater.settings import GUARDED, Limits

    limits = Limits()
    return InProcess(load(root, limits.load_limit_s), limits, GUARDED)


@pytest.fixture(scope="session")
def headwater_root(pytestconfig: pytest.Config) -> Path:
    """The project's folder: where pytest's configuration is. Override it to test another."""
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def headwater_placement(pytestconfig: pytest.Config, headwater_root: Path) -> InProcess:
    """The project's backend, imported once for all tests."""
    if headwater_root == pytestconfig.rootpath and _LOADED in pytestconfig.stash:
        return pytestconfig.stash[_LOADED]
    return _loaded(headwater_root)


@pytest.fixture
def backend(headwater_placement: InProcess) -> Iterator[Backend]:
    """A fresh backend for one test: an empty database in memory and a clock moved by hand."""
    from headwater.testing import Backend

    made = Backend(headwater_placement)
    yield made
    made.close()


@pytest.fixture
def fake_http() -> Iterator[FakeHttp]:
    """A server on the loopback address, for what actions call: a test says what it answers."""
    from headwater.fake_http import FakeHttp

    with FakeHttp() as made:
        yield made
