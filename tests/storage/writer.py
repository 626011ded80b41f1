"""Run as a process: commits one document after another and says each one, until it is killed."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from headwater.core.storage import Writes
from headwater.core.storage.sqlite import SqliteStorage


def main() -> None:
    """Commits for ever; a line on standard output is an acknowledgement."""
    storage = SqliteStorage(Path(sys.argv[1]))
    for number in count():
        storage.begin()
        name = f"{number:08}"
        storage.write(Writes({name: b"x" * 200}, {name.encode(): name}))
        storage.commit()
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
