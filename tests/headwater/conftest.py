"""What the tests of the edges share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.headwater.served import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A served project."""
    made = Served(tmp_path)
    yield made
    made.close()
