"""`headwater watch`: a line for each change, as a terminal or an assistant sees it."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest

from tests.scenarios.conftest import StartServer
from tests.scenarios.server_process import COMMAND, DEADLINE_S, ServerProcess


class Watch:
    """A running `headwater watch`."""

    def __init__(self, server: ServerProcess, *words: str) -> None:
        self.process = subprocess.Popen(
            [COMMAND, "watch", *words],
            cwd=server.project,
            env=server.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: SimpleQueue[str] = SimpleQueue()
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def line(self) -> Any:
        """The next line it prints, from JSON."""
        return json.loads(self._lines.get(timeout=DEADLINE_S))

    def interrupt(self) -> int:
        """Ctrl-C; gives the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(DEADLINE_S)

    def ended(self) -> tuple[int, str]:
        """Waits for its end; exit code and what it complained of."""
        assert self.process.stderr is not None
        return self.process.wait(DEADLINE_S), self.process.stderr.read()

    def end(self) -> None:
        """Whatever happened: nothing of it is left running."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def watch() -> Iterator[Callable[..., Watch]]:
    """Starts the command."""
    with ExitStack() as stack:

        def start(server: ServerProcess, *words: str) -> Watch:
            started = Watch(server, *words)
            stack.callback(started.end)
            return started

        yield start


def test_a_line_comes_for_each_change(
    server: ServerProcess, watch: Callable[..., Watch], name: str
) -> None:
    """The result at once, then each new one; a mutation that changes nothing of it is silent."""
    arguments = json.dumps({"name": name})
    plain = watch(server, "counters:read", arguments)
    timed = watch(server, "counters:read", arguments, "--json")
    assert plain.line() == 0
    assert timed.line()["value"] == 0
    server.call("mutation", "counters:increment", name=f"{name} another")
    server.call("mutation", "counters:increment", name=name)
    assert plain.line() == 1
    assert timed.line()["value"] == 1
    assert plain.interrupt() == 0


def test_it_goes_on_after_a_restart(start_server: StartServer, watch: Callable[..., Watch]) -> None:
    """kill -9 and a new start: what has not changed is not printed again, what then changes is."""
    server = start_server()
    watching = watch(server, "counters:read", '{"name": "a"}')
    assert watching.line() == 0
    server.restart()
    server.call("mutation", "counters:increment", name="a")
    assert watching.line() == 1


def test_a_query_that_fails_ends_it(server: ServerProcess, watch: Callable[..., Watch]) -> None:
    """Exit code 1 and the query's own error, as every client gets it."""
    code, text = watch(server, "failures:broken_query").ended()
    assert code == 1
    assert "ZeroDivisionError" in text
    code, text = watch(server, "counters:reed", '{"name": "a"}').ended()
    assert code == 1
    assert "Could not find public function for 'counters:reed'" in text


def test_a_person_can_be_taken_on(server: ServerProcess, watch: Callable[..., Watch]) -> None:
    """--as makes the query's caller that person; without, there is none."""
    assert watch(server, "people:whoami", "--as", "ana").line() == "ana"
    assert watch(server, "people:whoami").line() is None


def test_no_server_is_said(tmp_path: Path, watch: Callable[..., Watch]) -> None:
    """Exit code 1 and how to start one."""
    server = ServerProcess(tmp_path)
    code, text = watch(server, "counters:read", "--url", server.url).ended()
    assert code == 1
    assert "headwater dev" in text
