"""Processes that lead a group of their own: each is ended together with all that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

running: set[subprocess.Popen[bytes]] = set()


@contextmanager
def group(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process for a block, which has ended when the block has.

    Args:
        options: as `subprocess.Popen` takes them.
    """
    process = subprocess.Popen(command, start_new_session=True, **options)
    running.add(process)
    try:
        yield process
    finally:
        end(process)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        running.discard(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and its group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_all() -> None:
    """Ends every one that is running."""
    for process in list(running):
        end(process)
