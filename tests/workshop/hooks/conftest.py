"""No hook here knows the project by the environment, unless its test says so."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_project_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLAUDE_PROJECT_DIR", raising=False)
