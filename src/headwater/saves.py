"""What is saved in a project that is being worked on: when to load its backend again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from headwater.environment import Environment

_LOOK_AGAIN_MS = 500

Files = Mapping[str, float]
"""Files by their names, each with the time when it was changed."""


def saves(folder: Path, environment: Environment, loaded: Files) -> Iterator[None]:
    """A turn for each time something below the folder was saved, the folder itself replaced, or
    a `.env` has changed; also when that was after the load and before the watching began.

    A folder that is moved away and made anew, as by `git stash`, is another one to the system.
    """
    from watchfiles import PythonFilter, watch

    watched = _identity(folder)
    begun = replaced = False
    before = environment.files()
    while True:
        with suppress(FileNotFoundError):
            for changes in watch(
                folder,
                watch_filter=PythonFilter(),
                debounce=50,
                step=20,
                rust_timeout=_LOOK_AGAIN_MS,
                yield_on_timeout=True,
            ):
                now = environment.files()
                missed = not begun and files_of(environment, folder) != loaded
                if changes or replaced or missed or now != before:
                    yield
                begun, before = True, now
                replaced = _identity(folder) != watched
                if replaced:
                    break
        while (watched := _identity(folder)) is None:
            time.sleep(_LOOK_AGAIN_MS / 1000)


def files_of(environment: Environment, folder: Path) -> Files:
    """What a load reads, each with its time of change."""
    found = dict(environment.files())
    for path in folder.rglob("*.py"):
        with suppress(FileNotFoundError):  # gone since it was found
            found[str(path)] = path.stat().st_mtime
    return found


def _identity(folder: Path) -> int | None:
    try:
        return folder.stat().st_ino
    except FileNotFoundError:
        return None
