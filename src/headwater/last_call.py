"""The call that runs now, kept where it outlives the process.

A call that ends its process (a long call into C, a crash in a library) would do so again and again:
an official client sends it once more after every restart. So the path of each call is written into
a mapped file before it runs, which the kernel keeps whatever ends us, and the next process refuses
it for a while.
"""

from __future__ import annotations

import mmap
from pathlib import Path

_BYTES = 1024


class LastCall:
    """Notes and forgets the running call.

    Args:
        file: where; made when missing.
    """

    def __init__(self, file: Path) -> None:
        if not file.exists() or file.stat().st_size != _BYTES:
            file.write_bytes(bytes(_BYTES))
        with file.open("r+b") as opened:
            self._map = mmap.mmap(opened.fileno(), _BYTES)

    def note(self, path: str, job: str | None = None) -> None:
        """Keeps the path of a call that is about to run, and the scheduled call it belongs to."""
        text = f"{job or ''} {path}".encode()[: _BYTES - 1] + b"\0"
        self._map[: len(text)] = text

    def forget(self) -> None:
        """Nothing runs any more."""
        self._map[0] = 0

    def read(self) -> tuple[str, str | None]:
        """The path and job of the call that ran when the process ended; "" when none did."""
        text = bytes(self._map).partition(b"\0")[0].decode(errors="replace")
        job, _, path = text.partition(" ")
        return path, job or None
