"""Data in and out of a project whose server does not run: the same steps, on the file itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from headwater.clock import Clock
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.placement import InProcess
from headwater.core.work import Overhaul
from headwater.data import Ask
from headwater.data.files_door import FilesDoor, loop_of_its_own
from headwater.environment import Environment
from headwater.files import Files
from headwater.server import open_storage
from headwater.settings import STATE, Limits

T = TypeVar("T")


@dataclass(frozen=True)
class AtRest:
    """An opened project.

    Attributes:
        ask: does a step at once.
        files: its stored files.
    """

    database: Database
    ask: Ask
    files: FilesDoor


@contextmanager
def at_rest(root: Path, limits: Limits, *, backend: bool) -> Iterator[AtRest]:
    """Opens a project's database, for this process alone.

    Args:
        root: the project's folder.
        limits: its limits.
        backend: its backend is loaded, and the database made to serve it.

    Raises:
        StorageBusy: a server has it.
        HeadwaterError: the backend does not load, or does not fit the documents.
    """
    state = root / STATE
    state.mkdir(exist_ok=True)
    database = Database(open_storage(state), Clock(), limits)
    stored = Files.of(state, os.environ.get("HEADWATER_FILES_URL"), Clock(), limits)
    database.files = stored
    try:
        with loop_of_its_own() as loop:
            ask = _engine(database, root, limits) if backend else _looking(database)
            yield AtRest(database, ask, FilesDoor(stored, loop))
    finally:
        stored.blobs.close()
        database.storage.close()


def _looking(database: Database) -> Ask:
    def ask(step: Callable[[Database], T], *, writes: bool = False) -> T:
        assert not writes, "without its backend a database is only looked at"
        return step(database)

    return ask


def _engine(database: Database, root: Path, limits: Limits) -> Ask:
    engine = Engine(database, InProcess(Environment(root).load(limits.load_limit_s), limits))

    def ask(step: Callable[[Database], T], *, writes: bool = False) -> T:
        ended: list[tuple[T, BaseException | None]] = []
        work = Overhaul(step, lambda value, error: ended.append((value, error)), writes)
        for output in engine.process([work]):
            output.send()
        value, error = ended[0]
        if error is not None:
            raise error
        return value

    return ask
