"""Workers that are started warm: as shut in as any other, and ended with whoever wanted them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from headwater.host import Host
from headwater.worker_placement import WorkerPlacement
from headwater.worlds import World
from headwater_workshop.lab.learner_process import LearnerProcess
from headwater_workshop.sandbox import jail, warm
from headwater_workshop.sandbox.warm import WarmProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm starts are Linux's only")

ATTACKS = """
import ctypes, os, signal, socket, sys
from typing import Any
from headwater import MutationCtx, QueryCtx, mutation, query

def outcome(deed):
    try:
        return str(deed())
    except BaseException as error:
        return type(error).__name__

def write():
    with open("stolen", "w") as file:
        return file.write("x")

def read(path):
    with open(path, "rb") as file:
        return file.read(8)

FOUND = {
    "write": outcome(write),
    "read": outcome(lambda: read("/etc/passwd")),
    "memory": outcome(lambda: read(f"/proc/{os.getppid()}/mem")),
    "kill": outcome(lambda: os.kill(os.getppid(), signal.SIGTERM)),
    "fork": outcome(os.fork),
    "execute": outcome(lambda: os.execv(sys.executable, [sys.executable, "-c", "0"])),
    "network": outcome(lambda: socket.create_connection(("127.0.0.1", 9), 1)),
}
OPEN = []
for number in range(64):
    try:
        os.fstat(number)
        OPEN.append(number)
    except OSError:
        pass

@query
async def found(ctx: QueryCtx) -> dict[str, str]:
    return FOUND

@query
async def about(ctx: QueryCtx) -> dict[str, Any]:
    mine = [name for name in sys.modules if name.startswith("headwater_workshop.")]
    return {"open": OPEN, "modules": sorted(mine), "environment": dict(os.environ),
            "leads": os.getpgid(0) == os.getpid()}

@query
async def order(ctx: QueryCtx) -> list[str]:
    return list({"red", "green", "blue", "white", "black"})

@query
async def end(ctx: QueryCtx) -> None:
    os._exit(3)
"""


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LearnerProcess:
    """A learner's process that is started warm from the first time on."""
    monkeypatch.setattr(jail, "_WARM_FROM", 0)
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "attacks.py").write_text(ATTACKS)
    return LearnerProcess(tmp_path)


@pytest.fixture
def host(process: LearnerProcess, tmp_path: Path) -> Iterator[Host]:
    """A host whose handlers run in it."""
    worker = WorkerPlacement(process, tmp_path, end=jail.kill)
    host = Host(worker)
    yield host
    host.close()
    worker.close()


def until(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold within some seconds."""
    deadline = monotonic() + 10
    while not holds() and monotonic() < deadline:
        os.sched_yield()
    return holds()


def is_there(pid: int) -> bool:
    """Whether a process lives; one that waits to be buried does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(jail.jail_level() != "L3", reason="this machine has no whole jail")
def test_a_warm_worker_is_shut_in_as_any_other(host: Host, tmp_path: Path) -> None:
    """No file, no process, no signal, no network: each is refused, and none does harm."""
    found = host.call("attacks:found", "query", {}).value
    refused = {"PermissionError", "OSError"}
    assert {name: outcome for name, outcome in found.items() if outcome not in refused} == {}
    assert not (tmp_path / "stolen").exists()


def test_a_warm_worker_has_nothing_of_the_grader(host: Host) -> None:
    """Neither its variables nor its files, and no lesson was ever in its memory."""
    about: dict[str, Any] = host.call("attacks:about", "query", {}).value
    jail_alone = ("bubblewrap", "child", "landlock", "seccomp", "warm_child")
    allowed = {"sandbox", *(f"sandbox.{name}" for name in jail_alone)}
    assert {name.partition(".")[2] for name in about["modules"]} <= allowed
    assert about["environment"] == {}
    assert len(about["open"]) <= 6  # three streams, and the pipe's two beside them
    assert about["leads"] is True


def test_worlds_are_started_warm_too(process: LearnerProcess, tmp_path: Path) -> None:
    """Their own order of sets is that of the process they are forked from."""
    found = []
    for world in (World(hash_seed=1), World(hash_seed=2), World(hash_seed=1)):
        launch = partial(process.started_in, world)
        worker = WorkerPlacement(launch, tmp_path, end=jail.kill, world=world)
        host = Host(worker)
        found.append(host.call("attacks:order", "query", {}).value)
        host.close()
        worker.close()
    assert found[0] == found[2] != found[1]
    assert sorted(found[0]) == sorted(found[1])


def test_how_a_warm_worker_ended_is_told(host: Host) -> None:
    """As of one that was started alone; the next call has a fresh one."""
    host.call("attacks:end", "query", {})
    assert "exit code 3" in str(host.taken_failure())
    assert host.call("attacks:about", "query", {}).failure is None


def test_a_process_that_goes_on_is_waited_for_no_longer_than_wanted(
    process: LearnerProcess,
) -> None:
    """Then it is ended, with a signal's code."""
    started = process()
    assert isinstance(started, WarmProcess)
    with pytest.raises(subprocess.TimeoutExpired):
        started.wait(0.01)
    assert jail.kill(started) == -signal.SIGKILL
    assert started.wait() == -signal.SIGKILL


def test_an_order_that_was_given_up_spoils_no_later_one(process: LearnerProcess) -> None:
    """A time limit may strike while the warm process is asked: its late answer is nobody's."""
    started = process()

    def strike(*_about: object) -> None:
        raise KeyError("too long")

    before = signal.signal(signal.SIGALRM, strike)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyError, match="too long"):
            warm._warm[()].exit_code(started.pid, 0.3)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    other = process()
    assert is_there(other.pid)
    assert other.pid != started.pid
    assert jail.kill(started) == jail.kill(other) == -signal.SIGKILL


def test_a_warm_process_that_is_gone_is_replaced(process: LearnerProcess) -> None:
    """Its workers are gone with it; the next start has another."""
    first = process()
    os.kill(warm._warm[()].pid, signal.SIGKILL)
    assert until(lambda: not is_there(first.pid))
    second = process()
    assert is_there(second.pid)
    assert jail.kill(first) == jail.kill(second) == -signal.SIGKILL


def test_a_grader_that_is_killed_leaves_nobody_behind(tmp_path: Path) -> None:
    """Neither the warm process nor its workers."""
    program = (
        "from pathlib import Path; from headwater_workshop.sandbox import warm\n"
        "print(warm.start_warm(Path('/')).pid, warm._warm[()].pid, flush=True); input()"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as grader:
        assert grader.stdout is not None
        pids = [int(word) for word in grader.stdout.readline().split()]
        assert all(map(is_there, pids))
        grader.kill()
    assert until(lambda: not any(map(is_there, pids)))
