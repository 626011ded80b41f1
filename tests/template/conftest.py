"""The complete project's backend; and that the projects in `first/` are data, not tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from headwater.core.placement import InProcess
from headwater.loader import load
from headwater.settings import Limits
from headwater_workshop.stages import complete, write

collect_ignore = ["first"]


@pytest.fixture(scope="module")
def placement(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """The complete project, loaded once; its modules are gone afterwards."""
    root = tmp_path_factory.mktemp("complete")
    write(complete(), root)
    yield InProcess(load(root), Limits())
    for name in [name for name in sys.modules if name.partition(".")[0] == "backend"]:
        del sys.modules[name]
