"""The attacks a jailed program might try, each run for real."""

import os
import platform
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater_workshop.sandbox import bubblewrap, jail, landlock, seccomp
from tests.workshop.attacks import ATTACKS, CPU_LOOP

WALL_CLOCK_S = 20

needs_l3 = pytest.mark.skipif(
    jail.jail_level() != "L3", reason=f"this machine lacks {jail.jail_report().missing}"
)

BLOCKED_AT_L1 = ("4-GB-allocation", "64-MB-file", "read-environment")


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    """A file the program was not given."""
    path = tmp_path / "hidden" / "answers.txt"
    path.parent.mkdir()
    path.write_text("the expected values")
    return path


@pytest.fixture
def facts(hidden: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """What the attacks aim at: a file, a folder, listening sockets, this process."""
    monkeypatch.setenv("HEADWATER_TEST_SECRET", "x")
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        yield {
            "path": str(hidden),
            "folder": str(hidden.parent),
            "port": tcp.getsockname()[1],
            "parent": os.getpid(),
            "group": os.getpgrp(),
            "name": "HEADWATER_TEST_SECRET",
            "execveat": {"x86_64": 322, "aarch64": 281}.get(platform.machine(), 0),
        }


def run(code: str, *, level: str | None = None, cpu_s: int = 10) -> tuple[int, str]:
    """Run Python code in the jail to its end; give the exit code and all it printed."""
    program = [sys.executable, "-I", "-c", code]
    process = jail.launch(program, readable=(), cwd=Path("/"), level=level, cpu_s=cpu_s)
    try:
        output, errors = process.communicate(timeout=WALL_CLOCK_S)
    finally:
        code_ = jail.kill(process)
    return code_, (output + errors).decode()


@needs_l3
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_blocked_at_l3(name: str, facts: dict[str, object], hidden: Path) -> None:
    """Each attack ends in a refusal that names itself, and changes nothing outside."""
    _, printed = run(ATTACKS[name].format(**facts))
    assert "ESCAPED" not in printed
    refusals = ("Error", "blocked")
    assert any(word in printed for word in refusals), printed
    assert hidden.read_text() == "the expected values"
    assert [path.name for path in hidden.parent.iterdir()] == ["answers.txt"]


@pytest.mark.skipif(os.name != "posix", reason="rlimits are POSIX")
@pytest.mark.parametrize("name", BLOCKED_AT_L1)
def test_an_attack_on_resources_is_blocked_at_l1(name: str, facts: dict[str, object]) -> None:
    """Without Landlock and seccomp the limits and the empty environment still hold."""
    _, printed = run(ATTACKS[name].format(**facts), level="L1")
    assert "ESCAPED" not in printed


@pytest.mark.parametrize("name", ["read-hidden-file", "tcp", "signal-parent"])
def test_l1_does_not_stop_what_it_does_not_claim(name: str, facts: dict[str, object]) -> None:
    """The same attacks succeed at L1, so these tests can tell the levels apart."""
    _, printed = run(ATTACKS[name].format(**facts), level="L1")
    assert "ESCAPED" in printed


@pytest.mark.parametrize("level", ["L1", pytest.param("L3", marks=needs_l3)])
def test_a_cpu_loop_is_killed_by_its_cpu_limit(level: str) -> None:
    """A program that spins is ended by the kernel, without the caller's wall clock."""
    code, _ = run(CPU_LOOP, cpu_s=1, level=level)
    assert code in (-signal.SIGXCPU, -signal.SIGKILL)


@pytest.mark.parametrize("level", ["L1", pytest.param("L3", marks=needs_l3)])
def test_threads_asyncio_and_sqlite_work_in_the_jail(level: str) -> None:
    """What a handler may reasonably use is broken by no filter and no limit."""
    code, printed = run(
        "import asyncio, sqlite3, threading, random, decimal, json\n"
        "t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n"
        "async def f():\n"
        "    await asyncio.sleep(0.001)\n"
        "    return await asyncio.to_thread(lambda: 'pool')\n"
        "print(asyncio.run(f()), sqlite3.connect(':memory:').execute('select 1').fetchone())\n",
        level=level,
    )
    assert (code, printed.split()) == (0, ["thread", "pool", "(1,)"])


@needs_l3
def test_a_given_folder_is_readable_and_only_that(hidden: Path) -> None:
    """`readable` opens a folder for reading; its neighbours stay closed."""
    given = hidden.parent.parent / "given"
    given.mkdir()
    (given / "task.txt").write_text("the task")
    code = ATTACKS["read-hidden-file"].format(path=str(given / "task.txt"))
    program = [sys.executable, "-I", "-c", code]
    process = jail.launch(program, readable=[given], cwd=given)
    output, _ = process.communicate(timeout=WALL_CLOCK_S)
    jail.kill(process)
    assert output.decode().split("\n")[0] == "the task"


@needs_l3
def test_the_workshop_package_is_not_readable_in_the_jail() -> None:
    """Lessons, solutions and tests lie in the workshop's package: the jail has no way in."""
    _, printed = run("import headwater_workshop.sandbox.jail; print('ESCAPED')")
    assert "ESCAPED" not in printed
    _, printed = run(ATTACKS["read-hidden-file"].format(path=jail.__file__))
    assert "ESCAPED" not in printed


@needs_l3
def test_a_descriptor_that_was_given_stays_open() -> None:
    """`fds` reach the program under their own numbers."""
    ours, theirs = socket.socketpair()
    code = f"import os; os.write({theirs.fileno()}, b'hello')"
    program = [sys.executable, "-I", "-c", code]
    process = jail.launch(program, readable=(), cwd=Path("/"), fds=[theirs.fileno()])
    with ours, theirs:
        process.communicate(timeout=WALL_CLOCK_S)
        jail.kill(process)
        assert ours.recv(10) == b"hello"


@needs_l3
def test_the_program_dies_with_its_parent() -> None:
    """When the grader is killed, what it started is killed too."""
    grader = (
        "import sys; from pathlib import Path; from headwater_workshop.sandbox import jail\n"
        "code = \"print('up', flush=True); import time; time.sleep(60)\"\n"
        "p = jail.launch([sys.executable, '-I', '-c', code], readable=(), cwd=Path('/'))\n"
        "p.stdout.readline(); print(p.pid, flush=True); sys.stdin.read()\n"
    )
    environment = {"PYTHONPATH": str(Path(jail.__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", grader],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        watched = os.pidfd_open(pid)
        process.kill()
    ended = threading.Event()
    threading.Thread(target=lambda: _wait_until_ended(watched, ended), daemon=True).start()
    assert ended.wait(WALL_CLOCK_S)
    os.close(watched)


def _wait_until_ended(pidfd: int, ended: threading.Event) -> None:
    import select

    if select.select([pidfd], [], [], WALL_CLOCK_S)[0]:
        ended.set()


@needs_l3
def test_kill_ends_a_program_that_ignores_the_polite_signal() -> None:
    """`kill` needs no cooperation."""
    code = "import signal, time; signal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)\n"
    program = [sys.executable, "-I", "-c", code + "while True: time.sleep(1)"]
    process = jail.launch(program, readable=(), cwd=Path("/"))
    assert process.stdout is not None
    process.stdout.readline()
    assert jail.kill(process) == -signal.SIGKILL


def test_a_jail_that_cannot_be_closed_runs_nothing(tmp_path: Path) -> None:
    """A program that cannot be opened is reported by the launcher's own exit code."""
    process = jail.launch([str(tmp_path / "no-such-program")], readable=(), cwd=tmp_path)
    _, errors = process.communicate(timeout=WALL_CLOCK_S)
    assert jail.kill(process) == 97
    assert b"The jail could not be closed" in errors


def test_the_report_names_what_the_kernel_lacks() -> None:
    """L3 is claimed only where Landlock and seccomp are both there."""
    report = jail.jail_report()
    assert (report.level == "L3") == (not report.missing)
    assert bool(landlock.abi()) == ("Landlock" not in report.missing)
    assert seccomp.available() == ("seccomp" not in report.missing)


@pytest.mark.parametrize(("wrapped", "level"), [(True, "L2"), (False, "L1")])
def test_without_landlock_the_level_is_what_bubblewrap_makes_it(
    wrapped: bool, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel without Landlock degrades honestly, and the report says why."""
    jail.jail_report.cache_clear()
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    monkeypatch.setattr(bubblewrap, "program", lambda: "/usr/bin/bwrap" if wrapped else None)
    monkeypatch.setattr(jail, "_starts", lambda _level: True)
    try:
        report = jail.jail_report()
        network = jail.jail_level(network=True)
    finally:
        jail.jail_report.cache_clear()
    assert (report.level, "Landlock" in report.missing) == (level, True)
    assert ("bubblewrap" in report.features, "bubblewrap" in report.missing) == (
        wrapped,
        not wrapped,
    )
    assert network == "L1"


def test_a_sandbox_of_bubblewrap_shows_what_is_readable_and_nothing_else(tmp_path: Path) -> None:
    """Each folder that is there, once, before the program; no network, no other process."""
    words = bubblewrap.arguments(
        "bwrap", ["/bin/true", "x"], [str(tmp_path), "/no/such", "/dev/null"], ["A=b=c"], "/"
    )
    assert words[words.index("--ro-bind") : words.index("--clearenv")] == [
        "--ro-bind",
        *[str(tmp_path)] * 2,
    ]
    assert words[words.index("--setenv") :][:3] == ["--setenv", "A", "b=c"]
    assert words[-5:] == ["--chdir", "/", "--", "/bin/true", "x"]
    assert {"--unshare-all", "--die-with-parent", "--new-session"} <= set(words)


AARCH64 = 0xC00000B7
ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000


def verdict(code: list[seccomp.Instruction], architecture: int, number: int, *words: int) -> int:
    """What the filter returns for a call, by running its instructions as the kernel does."""
    data = [number, architecture, 0, 0, *words, *[0] * (12 - len(words))]
    accumulator = place = 0
    while True:
        operation, if_true, if_false, constant = code[place]
        if operation == 0x06:
            return constant
        if operation == 0x20:
            accumulator = data[constant // 4]
        elif operation == 0x54:
            accumulator &= constant
        place += 1 + (operation == 0x15) * (if_true if accumulator == constant else if_false)


@pytest.mark.parametrize(
    ("call", "number", "words", "expected"),
    [
        ("read", 63, (), ALLOW),
        ("socket", 198, (), EPERM),
        ("clone3", 435, (), ENOSYS),
        ("a call of the future", 9999, (), ENOSYS),
        ("clone of a process", 220, (17,), EPERM),
        ("clone of a thread", 220, (0x10F00,), ALLOW),
        ("kill of itself", 129, (123,), ALLOW),
        ("kill of another", 129, (1,), EPERM),
        ("execveat, the start", 281, (128, 0, 0, 0, 0, 0, 0, 0, 0x1000), ALLOW),
        ("execveat of another file", 281, (127, 0, 0, 0, 0, 0, 0, 0, 0x1000), EPERM),
        ("execveat by name", 281, (128, 0, 0, 0, 0, 0, 0, 0, 0), EPERM),
        ("prlimit64 that reads", 261, (0, 0, 7), ALLOW),
        ("prlimit64 that sets", 261, (0, 0, 7, 0, 0, 5), EPERM),
        ("fcntl F_SETOWN", 25, (0, 0, 8), EPERM),
        ("fcntl F_SETSIG", 25, (0, 0, 10), EPERM),
        ("fcntl F_SETOWN_EX", 25, (0, 0, 15), EPERM),
        ("fcntl F_GETFL", 25, (0, 0, 3), ALLOW),
        ("socketpair of streams", 199, (1, 0, 0x80001), ALLOW),
        ("socketpair of datagrams", 199, (1, 0, 2), EPERM),
        ("sendto an address", 206, (3, 0, 0, 0, 1, 0, 0, 0, 0, 1), EPERM),
    ],
)
def test_the_aarch64_filter_decides_as_meant(
    call: str, number: int, words: tuple[int, ...], expected: int
) -> None:
    """The filter for the machine that is not at hand is run step by step instead."""
    code = seccomp.program(pid=123, exec_fd=128, machine="aarch64")
    assert verdict(code, AARCH64, number, *words) == expected, call


def test_a_call_of_another_architecture_ends_the_process() -> None:
    """The 32-bit entry of the same machine cannot be used to get round the numbers."""
    code = seccomp.program(pid=123, exec_fd=128, machine="x86_64")
    assert verdict(code, 0x40000003, 63) == KILL
    assert verdict(code, 0xC000003E, 0x40000000 | 1) == ENOSYS
