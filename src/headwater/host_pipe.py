"""A worker process's end of the pipe to its host."""

from __future__ import annotations

import os
from typing import Any

from headwater import remote


class HostGone(Exception):
    """The host closed the pipe: there is nothing more to do."""


class HostPipe:
    """Frames from and to the host, over descriptors that the backend's own output cannot reach."""

    def __init__(self) -> None:
        self._input, self._output = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        os.close(nothing)

    def fileno(self) -> int:
        """What becomes readable when the host says something."""
        return self._input

    def send(self, message: dict[str, Any]) -> None:
        """Sends a message."""
        rest = memoryview(remote.frame(message))
        while rest:
            rest = rest[os.write(self._output, rest) :]

    def receive(self) -> dict[str, Any]:
        """The host's next message.

        Raises:
            HostGone: there is none.
        """
        length = int.from_bytes(self._take(remote.LENGTH_BYTES), "big")
        return remote.parse(self._take(length))

    def _take(self, count: int) -> bytes:
        taken = bytearray()
        while len(taken) < count:
            piece = os.read(self._input, count - len(taken))
            if not piece:
                raise HostGone
            taken += piece
        return bytes(taken)
