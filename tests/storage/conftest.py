"""The storages, each under its name; a new one joins the contract by joining this list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headwater.core.storage import Storage
from headwater.core.storage.sqlite import SqliteStorage

Make = Callable[[Path], Storage]

STORAGES: dict[str, Make] = {
    "sqlite in memory": lambda _folder: SqliteStorage(),
    "sqlite file": lambda folder: SqliteStorage(folder / "data.sqlite3"),
}
DURABLE = [name for name in STORAGES if name != "sqlite in memory"]


@pytest.fixture(params=STORAGES)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """An empty storage."""
    made = STORAGES[request.param](tmp_path)
    yield made
    made.close()
