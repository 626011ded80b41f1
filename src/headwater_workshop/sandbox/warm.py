"""Starts workers from a process that has imported the runtime already, which saves most of the time
that a start takes. Linux only.

    grader --(order, three pipes)--> warm process --fork--> shuts itself in --> worker
           <--(process id)---------

The warm process holds nothing but the runtime and the jail: no lesson, no check, no expected value,
for whatever it holds its workers hold too. It ends with the grader, and they with it.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

_PROGRAM: Final = "from headwater_workshop.sandbox.warm_child import main; main({})"
_ANSWER_BYTES: Final = 4_096
_GONE: Final = -9  # what workers end with that end with their warm process


class WarmGone(Exception):
    """The warm process is not there any more."""


class WarmProcess:
    """A worker that was started warm; to be used as a `subprocess.Popen`.

    Attributes:
        returncode: its exit code; None until `wait` has seen it end.
    """

    def __init__(self, warm: Warm, pid: int, ends: list[int]) -> None:
        self._warm, self.pid = warm, pid
        self.returncode: int | None = None
        self.stdin: IO[bytes] = os.fdopen(ends[0], "wb", buffering=0)
        self.stdout: IO[bytes] = os.fdopen(ends[1], "rb", buffering=0)
        self.stderr: IO[bytes] = os.fdopen(ends[2], "rb", buffering=0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not, and the seconds are over.
        """
        if self.returncode is None:
            code = self._warm.exit_code(self.pid, timeout)
            if code is None:
                raise subprocess.TimeoutExpired("headwater.worker", timeout or 0.0)
            self.returncode = code
        return self.returncode


class Warm:
    """One warm process.

    Args:
        environment: its own, and so what its workers were started with; None for an empty one.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        # As -I, but for the environment, which is ours.
        alone = ["-I"] if environment is None else ["-P", "-s"]
        self._lock = threading.Lock()
        self._orders = 0
        self.owner = os.getpid()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with closing(theirs):
            self._process = subprocess.Popen(
                [sys.executable, *alone, "-c", _PROGRAM.format(theirs.fileno())],
                cwd="/",
                env=environment or {},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self.pid = self._process.pid
        atexit.register(self.close)

    def start(self, cwd: Path) -> WarmProcess:
        """A process that waits for its JailSpec, and is a worker in that jail from then on.

        Raises:
            WarmGone: there is nobody to start it.
        """
        with _three_pipes() as (ours, theirs):
            answer = self._asked({"start": str(cwd)}, theirs)
            return WarmProcess(self, int(answer["pid"]), [os.dup(end) for end in ours])

    def exit_code(self, pid: int, seconds: float | None) -> int | None:
        """What a process of its ended with; None when it goes on for so long."""
        try:
            code: int | None = self._asked({"wait": pid, "seconds": seconds})["code"]
        except WarmGone:
            return _GONE
        return code

    def _asked(self, order: dict[str, Any], fds: list[int] | None = None) -> dict[str, Any]:
        with self._lock:
            self._orders += 1
            text = json.dumps({**order, "number": self._orders}).encode()
            try:
                socket.send_fds(self._control, [text], fds or [])
                while (answer := self._heard())["number"] != self._orders:
                    continue  # to an order whose giver was stopped by a time limit
            except OSError as error:
                raise WarmGone from error
        return answer

    def _heard(self) -> dict[str, Any]:
        text = self._control.recv(_ANSWER_BYTES)
        if not text:
            raise WarmGone
        answer: dict[str, Any] = json.loads(text)
        return answer

    def close(self) -> None:
        """Ends it, and its workers."""
        self._control.close()
        if self.owner == os.getpid():
            self._process.wait()
        atexit.unregister(self.close)


@contextmanager
def _three_pipes() -> Iterator[tuple[list[int], list[int]]]:
    """Our ends and theirs of what will be standard input, output and error; closed afterwards."""
    with ExitStack() as stack:
        pairs = [os.pipe() for _ in range(3)]
        for end in (end for pair in pairs for end in pair):
            stack.callback(os.close, end)
        (take, give), output, errors = pairs
        yield [give, output[0], errors[0]], [take, output[1], errors[1]]


_warm: dict[tuple[str, ...], Warm] = {}


def start_warm(cwd: Path, environment: Mapping[str, str] | None = None) -> WarmProcess:
    """A process from this process's warm one with that environment, which is started when there is
    none.

    Raises:
        WarmGone: it does not start.
    """
    key = named(environment)
    warm = _warm.get(key)
    if warm is not None and warm.owner == os.getpid():
        with suppress(WarmGone):
            return warm.start(cwd)
        warm.close()
    _warm[key] = Warm(environment)
    return _warm[key].start(cwd)


def named(environment: Mapping[str, str] | None) -> tuple[str, ...]:
    """An environment as `NAME=value` texts."""
    return tuple(f"{name}={value}" for name, value in (environment or {}).items())
