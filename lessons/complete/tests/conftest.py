"""Fixtures of the whole project; `backend` is headwater's own."""

import pytest
from headwater.testing import Backend

from backend.settings import Settings
from tests.people import Team, make_team


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test calls a real model or service, whatever is set where the tests are run."""
    for name in Settings.__annotations__:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def team(backend: Backend) -> Team:
    """A project of ana's, with ben, an admin, and cleo, a member."""
    return make_team(backend)
