"""The project's own Vite, run as a child of `headwater dev`: fresh code of a frontend that has a
build step.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from importlib import resources
from pathlib import Path

import orjson

_PORT = re.compile(r"headwater-vite-port (\d+)")
_PAUSE_S = 2.0  # between two starts: one that ends at once must not be started for every request
_END_S = 2.0
_LISTS = ("dependencies", "devDependencies")
INSTALL = "cd frontend, npm ci"


def uses_vite(frontend: Path) -> bool:
    """Whether a frontend is built by Vite: its package.json names it."""
    try:
        data = orjson.loads((frontend / "package.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return False
    lists = [data.get(name) for name in _LISTS] if isinstance(data, dict) else []
    return any(isinstance(one, dict) and "vite" in one for one in lists)


class Vite:
    """The child, started when it is first wanted and again when it has ended.

    Args:
        frontend: the folder with package.json, where it runs.
        tell: takes a sentence for whoever watches the terminal, and whether it is a trouble.
    """

    def __init__(self, frontend: Path, tell: Callable[[str, bool], None]) -> None:
        self._frontend = frontend
        self._tell = tell
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._port: Future[int | None] = Future()
        self._port.set_result(None)
        self._began = -_PAUSE_S
        self._ended = False

    def lacks(self) -> str | None:
        """What has to be done before Vite can run; None when it can."""
        if shutil.which("node") is None:
            return f"install Node.js, then: {INSTALL}"
        if not (self._frontend / "node_modules" / "vite" / "package.json").is_file():
            return INSTALL
        return None

    def port(self) -> Future[int | None]:
        """The loopback port that it listens on, as soon as it does; None when it does not run.

        Starts it where it can run and does not.
        """
        with self._lock:
            waited = time.monotonic() - self._began > _PAUSE_S
            if not self._runs() and waited and not self._ended and self.lacks() is None:
                self._start()
            return self._port

    def end(self) -> None:
        """Ends the child, and starts no other."""
        with self._lock:
            self._ended = True
            child = self._child
        if child is None:
            return
        child.terminate()
        try:
            child.wait(_END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _runs(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def _start(self) -> None:
        self._began = time.monotonic()
        code = resources.files("headwater").joinpath("browser/vite.mjs").read_text("utf-8")
        node = str(shutil.which("node"))
        self._port = Future()
        # Our end of its standard input closes with us, even by kill -9; then it ends, too.
        self._child = subprocess.Popen(
            [node, "--input-type=module", "--eval", code],
            cwd=self._frontend,
            env=os.environ | {"NO_COLOR": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        threading.Thread(
            target=self._listen, args=(self._child, self._port), name="vite", daemon=True
        ).start()

    def _listen(self, child: subprocess.Popen[bytes], port: Future[int | None]) -> None:
        """Passes on what the child says, until it ends."""
        assert child.stdout is not None
        for line in child.stdout:
            text = line.decode("utf-8", "replace").rstrip()
            found = _PORT.fullmatch(text)
            if found is not None:
                port.set_result(int(found[1]))
            elif text:
                self._tell(text, False)
        code = child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        if not port.done():
            port.set_result(None)
        if not self._ended:
            with suppress(RuntimeError):  # the interpreter is ending
                self._tell(f"ended (exit code {code}); the next request starts it again", True)
