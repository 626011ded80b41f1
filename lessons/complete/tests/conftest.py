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


@pytest.fixture(autouse=True)
def _model_rests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the model's package takes longer than all these tests: those about it are apart."""

    async def whole_answer(_settings: Settings, _prompt: str) -> str:
        return "Have a good day."

    if request.node.get_closest_marker("model") is None:
        monkeypatch.setattr("backend.summaries.whole_answer", whole_answer)


@pytest.fixture
def team(backend: Backend) -> Team:
    """A project of ana's, with ben, an admin, and cleo, a member."""
    return make_team(backend)
