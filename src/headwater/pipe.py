"""One worker process and its pipes: frames by a deadline, and bounds on everything it says."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import IO, Any, Final, Protocol

from headwater import remote
from headwater.errors import HeadwaterError
from headwater.remote import MalformedFrame


class Process(Protocol):
    """A process with pipes for its three streams: a `subprocess.Popen`, or what is used as one."""

    @property
    def pid(self) -> int:
        """Its id, and that of its group."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """Our end of its standard input."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """Our end of its standard output."""

    @property
    def stderr(self) -> IO[bytes] | None:
        """Our end of its standard error."""

    @property
    def returncode(self) -> int | None:
        """Its exit code; None while nobody has seen it end."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended."""


_READ: Final = 65_536
_ERRORS_KEPT: Final = 4_000


class WorkerFailed(HeadwaterError):
    """A worker that ended, was silent, flooded its output or spoke out of turn.

    Attributes:
        reason: `ended`, `silent`, `flood` or `malformed`.
        printed: the end of what it wrote to its standard error.
        told: it names what the worker was doing, and the worker was ended for it.
    """

    def __init__(self, reason: str, text: str, printed: str = "") -> None:
        super().__init__(text)
        self.reason, self.printed = reason, printed
        self.told = False


@dataclass(frozen=True)
class WorkerLimits:
    """What a worker is allowed before it is ended.

    Attributes:
        load_s: wall clock for importing the backend.
        call_s: wall clock for one call, all its requests included.
        frame_bytes: one frame of the worker.
        output_bytes: what it may print while it lives.
        action_s: wall clock for one action or HTTP route, all it calls included.
        open_actions: how many actions and HTTP routes may be open, with those they run.
        open_requests: what one action may ask before it is answered.
        open_bytes: what the requests of all open actions may have, until they are answered.
        sent_bytes: what one action may be storing at once.
        prefetch: documents of a streamed scan that the host hands out at a time. What a handler
            looked at is exact up to this many: the worker's word for the last of them is taken.
    """

    load_s: float = 20.0
    call_s: float = 3.0
    frame_bytes: int = 24 * 2**20
    output_bytes: int = 200_000
    action_s: float = 20.0
    open_actions: int = 200
    open_requests: int = 200
    open_bytes: int = 128 * 2**20
    sent_bytes: int = 64 * 2**20
    prefetch: int = 8


class Pipe:
    """Frames to and from one process, each by a deadline; its other output is kept in bounds.

    Args:
        process: with pipes for its three streams.
        limits: what it is allowed.
        heard: told of each piece of what it prints.
    """

    def __init__(
        self,
        process: Process,
        limits: WorkerLimits,
        heard: Callable[[bytes], None] = lambda _piece: None,
    ) -> None:
        self.process = process
        self._limits, self._heard = limits, heard
        streams = (process.stdin, process.stdout, process.stderr)
        self._input, self._frames, self._errors = (each.fileno() for each in streams if each)
        for fd in (self._input, self._frames, self._errors):
            os.set_blocking(fd, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._frames, selectors.EVENT_READ)
        self._selector.register(self._errors, selectors.EVENT_READ)
        self._buffer = bytearray()
        self._printed = bytearray()
        self._printed_bytes = 0

    @property
    def printed(self) -> str:
        """The end of what the process wrote to its standard error."""
        return self._printed.decode(errors="replace")

    def send(self, message: dict[str, Any], deadline: float) -> None:
        """Sends a message.

        Raises:
            WorkerFailed: the process does not take it.
        """
        rest = memoryview(remote.frame(message))
        while rest:
            try:
                rest = rest[os.write(self._input, rest) :]
            except BlockingIOError:
                self._wait(deadline, writing=True)
            except BrokenPipeError:
                raise self._ended() from None

    def receive(self, deadline: float) -> dict[str, Any]:
        """The next message; how long it was is in its member `bytes`.

        Raises:
            WorkerFailed: none came in time, or the process ended or printed too much.
            MalformedFrame: it is too long, or no message.
        """
        length = self._length(self._take(remote.LENGTH_BYTES, deadline))
        return _parsed(self._take(length, deadline))

    def _length(self, head: bytes | bytearray) -> int:
        length = int.from_bytes(head, "big")
        if length > self._limits.frame_bytes:
            raise MalformedFrame(f"a frame of {length} bytes")
        return length

    @property
    def read_ahead(self) -> bool:
        """Something of it was read and not given yet."""
        return bool(self._buffer)

    def fileno(self) -> int:
        """What becomes readable when the process says or prints something."""
        return self._selector.fileno()

    def said(self) -> list[dict[str, Any]]:
        """The messages that have come, without waiting for more.

        Raises:
            WorkerFailed: the process ended or printed too much.
            MalformedFrame: one is too long, or no message.
        """
        self._ready(0)
        return self.kept()

    def kept(self) -> list[dict[str, Any]]:
        """The whole messages among what was read already; raises as `said`."""
        messages = []
        while len(self._buffer) >= remote.LENGTH_BYTES:
            end = remote.LENGTH_BYTES + self._length(self._buffer[: remote.LENGTH_BYTES])
            if len(self._buffer) < end:
                break
            messages.append(_parsed(bytes(self._buffer[remote.LENGTH_BYTES : end])))
            del self._buffer[:end]
        return messages

    def check_quiet(self) -> None:
        """Nothing may have come that nobody asked for.

        Raises:
            MalformedFrame: something has.
        """
        while self._ready(0):
            continue
        if self._buffer:
            raise MalformedFrame("it spoke without being asked")

    def _take(self, count: int, deadline: float) -> bytes:
        while len(self._buffer) < count:
            self._wait(deadline)
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _wait(self, deadline: float, *, writing: bool = False) -> None:
        """Waits for the process to write, or to take input; keeps what it wrote."""
        left = deadline - monotonic()
        if left <= 0:
            raise WorkerFailed("silent", "gave no answer in time", self.printed)
        if writing:
            self._selector.register(self._input, selectors.EVENT_WRITE)
        try:
            self._ready(left)
        finally:
            if writing:
                self._selector.unregister(self._input)

    def _ready(self, seconds: float) -> bool:
        """Reads what is there; False when nothing was."""
        events = self._selector.select(seconds)
        for key, _ in events:
            if key.fd == self._frames:
                self._keep_frames(os.read(self._frames, _READ))
            elif key.fd == self._errors:
                self._keep_printed(os.read(self._errors, _READ))
        return bool(events)

    def _keep_frames(self, piece: bytes) -> None:
        if not piece:
            raise self._ended()
        self._buffer += piece
        if len(self._buffer) > self._limits.frame_bytes + _READ:
            raise MalformedFrame("more than one frame at a time")

    def _keep_printed(self, piece: bytes) -> None:
        if not piece:
            self._selector.unregister(self._errors)
        self._printed_bytes += len(piece)
        self._note_printed(piece)
        if self._printed_bytes > self._limits.output_bytes:
            text = f"printed more than {self._limits.output_bytes:,} bytes"
            raise WorkerFailed("flood", text, self.printed)

    def _ended(self) -> WorkerFailed:
        self.drain()
        try:
            code: object = self.process.wait(0.5)
        except subprocess.TimeoutExpired:
            code = "none: it closed its pipe and lives on"
        return WorkerFailed("ended", f"ended in the middle (exit code {code})", self.printed)

    def _note_printed(self, piece: bytes) -> None:
        self._heard(piece)
        self._printed += piece
        del self._printed[:-_ERRORS_KEPT]

    def drain(self) -> None:
        """Reads what the process has printed by now, in bounds."""
        try:
            for _ in range(self._limits.output_bytes // _READ + 1):
                if not (piece := os.read(self._errors, _READ)):
                    return
                self._note_printed(piece)
        except OSError:
            return  # nothing more for now

    def close(self) -> None:
        """Lets the selector go; ending the process is its starter's part."""
        self._selector.close()


def _parsed(body: bytes) -> dict[str, Any]:
    return {**remote.parse(body), "bytes": len(body)}
