"""The supervisor: holds the listening sockets and keeps a server process behind them.

A handler that nothing in a process can stop ends that process; this starts the next one. One that
ends nothing but holds the whole interpreter (a long call into C in an action) is noticed by the
silence of the process, and ended from here.
Connections that come in between wait in the sockets' queues. Nothing acknowledged is lost, for it
was committed before.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

STARTUP_FAILED = 78
"""Exit code of a server that cannot start; starting it again would not help (EX_CONFIG of
sysexits).
"""

AFTER_FAULT = "after-fault"
"""Tells a server process that what the one before it ran has ended that."""

_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL)
# glibc keeps freed blocks of up to 32 MB for later; with results of many sizes that held 250 to 380
# MB where 50 to 115 were in use. Blocks from 64 kB on are given back to the system at once.
_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "65536"}
_BIND_TRIES_S = 2.0
_PAUSES_S = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
_STEADY_S = 30.0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; waits a little for a server that is just ending.

    Raises:
        OSError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + _BIND_TRIES_S
    while True:
        made = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere the option lets two servers share an address
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((host, port))
            made.listen(2048)
            return made
        except OSError:
            made.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class Supervisor:
    """Runs a server process and starts another when it ends unexpectedly.

    Args:
        command: the server's command line; the sockets' descriptors are appended.
        sockets: the bound sockets, handed to every server in turn.
        tell: prints a line for whoever watches the terminal.
        silence_s: how long a server that has begun to beat may be silent.
    """

    def __init__(
        self,
        command: Sequence[str],
        sockets: Sequence[socket.socket],
        tell: Callable[[str], None],
        silence_s: float,
    ) -> None:
        self._sockets = sockets  # kept: one that is let go would be closed
        self._numbers = [listening.fileno() for listening in sockets]
        self._command = [*command, ",".join(map(str, self._numbers))]
        self._silence_s = silence_s
        self._after_fault = False
        self._tell = tell
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self._quick_ends = 0

    def run(self) -> int:
        """Keeps a server running until SIGINT or SIGTERM; gives the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        while True:
            began = time.monotonic()
            code = self._serve()
            if self._stopping:  # only then is an end our wish: a handler may say os._exit(0) too
                return 0
            if code == STARTUP_FAILED:
                return 1
            self._pause(code, time.monotonic() - began)
            if self._stopping:
                return 0

    def _serve(self) -> int:
        # The child reads its standard input: when we end, even by kill -9, it sees the end and
        # goes.
        beats, to_beat = os.pipe()
        try:
            self._child = subprocess.Popen(
                [*self._command, str(to_beat), *([AFTER_FAULT] if self._after_fault else [])],
                stdin=subprocess.PIPE,
                env=_ALLOCATOR | os.environ,
                pass_fds=[*self._numbers, to_beat],
            )
        finally:
            os.close(to_beat)
        if self._stopping:
            self._child.terminate()
        try:
            return self._attend(self._child, beats)
        finally:
            os.close(beats)

    def _attend(self, child: subprocess.Popen[bytes], beats: int) -> int:
        """Waits for the end of a server process; ends one that has fallen silent."""
        turns: int | None = None  # None until the first beat: starting has a limit of its own
        while True:
            if select.select([beats], [], [], 1.0)[0]:
                if not os.read(beats, 4096):
                    return child.wait()
                turns = 0
            elif turns is not None:
                # Turns are counted, not time: a machine that slept has slept for both of us.
                turns += 1
            if turns is not None and turns > self._silence_s:
                self._tell(f"The server process has been silent for {turns} s and is ended.")
                child.kill()
                return child.wait()

    def _pause(self, code: int, lived_s: float) -> None:
        self._after_fault = code >= 0 or -code in _CRASHES
        self._quick_ends = 0 if lived_s > _STEADY_S else self._quick_ends + 1
        pause = _PAUSES_S[min(self._quick_ends, len(_PAUSES_S) - 1)]
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._tell(
            f"The server process ended unexpectedly ({how}); starting it again. "
            "Nothing acknowledged is lost."
        )
        until = time.monotonic() + pause
        while not self._stopping and time.monotonic() < until:
            time.sleep(0.05)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()


def end_with_parent() -> None:
    """Ends this process when its supervisor is gone, whatever ended that."""
    _ask_kernel()

    def wait() -> None:
        while sys.stdin.buffer.read(1):
            pass
        os._exit(0)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


def _ask_kernel() -> None:
    """On Linux the kernel itself ends us with our parent, also inside a long call into C."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    libc: Any = ctypes.CDLL(None, use_errno=True)
    set_parent_death_signal = 1
    libc.prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
