"""Fixtures of the whole project; `backend` is headwater's own."""

import pytest
from headwater.testing import Backend

from tests.people import Team, make_team


@pytest.fixture
def team(backend: Backend) -> Team:
    """A project of ana's, with ben, an admin, and cleo, a member."""
    return make_team(backend)
