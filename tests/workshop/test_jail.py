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

from headwater_workshop import jail, landlock, seccomp

WALL_CLOCK_S = 20

needs_l3 = pytest.mark.skipif(
    jail.jail_level() != "L3", reason=f"this machine lacks {jail.jail_report().missing}"
)

# Each attack prints ESCAPED only after it did what the jail must prevent.
READ = "print(open({path!r}).read()); print('ESCAPED')"
LIST = "import os; print(os.listdir({folder!r})); print('ESCAPED')"
WRITE = "open({path!r}, 'w').write('x'); print('ESCAPED')"
NEW_FILE = "open({folder!r} + '/new', 'w').write('x'); print('ESCAPED')"
REMOVE = "import os; os.remove({path!r}); print('ESCAPED')"
CHMOD = "import os; os.chmod({path!r}, 0o777); print('ESCAPED')"
TRUNCATE = "import os; os.truncate({path!r}, 0); print('ESCAPED')"
TCP = "import socket; socket.create_connection(('127.0.0.1', {port}), 2); print('ESCAPED')"
UDP = """
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))
print('ESCAPED')
"""
UNIX_DATAGRAM = """
import socket
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
print('ESCAPED')
"""
SIGNAL = "import os; os.kill({parent}, 0); print('ESCAPED')"
SIGNAL_GROUP = "import os; os.killpg({group}, 0); print('ESCAPED')"
SIGNAL_BY_OWNER = """
import fcntl, os
fcntl.fcntl(0, fcntl.F_SETOWN, {parent}); print('ESCAPED')
"""
PEER_MEMORY = "open('/proc/{parent}/mem', 'rb').read(1); print('ESCAPED')"
OWN_PROC = "open('/proc/self/environ', 'rb').read(); print('ESCAPED')"
PTRACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, {parent}, 0, 0) == 0: print('ESCAPED')
else: raise OSError(ctypes.get_errno(), 'ptrace')
"""
FORK = "import os; pid = os.fork(); print('ESCAPED') if pid else os._exit(0)"
FORK_BOMB = """
import os
made = 0
for _ in range(400):
    try:
        if os.fork() == 0: os._exit(0)
        made += 1
    except OSError: pass
print('ESCAPED' if made else 'blocked')
"""
DAEMON = """
import subprocess, sys
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(30)'], start_new_session=True)
print('ESCAPED')
"""
EXECUTE = "import os, sys; os.execv(sys.executable, [sys.executable, '-c', 'print(\"ESCAPED\")'])"
EXECUTE_BY_DESCRIPTOR = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
program = os.open(os.path.realpath(sys.executable), os.O_RDONLY)
argv = (ctypes.c_char_p * 4)(b'python', b'-c', b'print("ESCAPED")', None)
for number in range(3, 300):
    try: os.dup2(program, number)
    except OSError: pass
    libc.syscall({execveat}, number, b'', argv, (ctypes.c_char_p * 1)(None), 0x1000)
raise OSError(ctypes.get_errno(), 'execveat')
"""
RAISE_LIMIT = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)); print('ESCAPED')
"""
ENVIRONMENT = "import os; print('ESCAPED' if {name!r} in os.environ else 'blocked')"
ALLOCATE = "block = bytearray(4 << 30); print('ESCAPED')"
BIG_FILE = "open({folder!r} + '/big', 'wb').write(bytes(64 << 20)); print('ESCAPED')"
CPU_LOOP = "while True: pass"

BLOCKED_AT_L3 = {
    "read-hidden-file": READ,
    "list-hidden-folder": LIST,
    "write-existing-file": WRITE,
    "write-new-file": NEW_FILE,
    "remove-file": REMOVE,
    "change-mode": CHMOD,
    "truncate": TRUNCATE,
    "tcp": TCP,
    "udp": UDP,
    "unix-datagram": UNIX_DATAGRAM,
    "signal-parent": SIGNAL,
    "signal-parents-group": SIGNAL_GROUP,
    "signal-by-descriptor-owner": SIGNAL_BY_OWNER,
    "parent-memory": PEER_MEMORY,
    "own-proc": OWN_PROC,
    "ptrace-parent": PTRACE,
    "fork": FORK,
    "fork-bomb": FORK_BOMB,
    "daemon": DAEMON,
    "execute": EXECUTE,
    "execute-by-descriptor": EXECUTE_BY_DESCRIPTOR,
    "raise-own-limits": RAISE_LIMIT,
    "read-environment": ENVIRONMENT,
    "4-GB-allocation": ALLOCATE,
    "64-MB-file": BIG_FILE,
}
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
@pytest.mark.parametrize("name", BLOCKED_AT_L3)
def test_an_attack_is_blocked_at_l3(name: str, facts: dict[str, object], hidden: Path) -> None:
    """Each attack ends in a refusal that names itself, and changes nothing outside."""
    _, printed = run(BLOCKED_AT_L3[name].format(**facts))
    assert "ESCAPED" not in printed
    refusals = ("Error", "blocked")
    assert any(word in printed for word in refusals), printed
    assert hidden.read_text() == "the expected values"
    assert [path.name for path in hidden.parent.iterdir()] == ["answers.txt"]


@pytest.mark.skipif(os.name != "posix", reason="rlimits are POSIX")
@pytest.mark.parametrize("name", BLOCKED_AT_L1)
def test_an_attack_on_resources_is_blocked_at_l1(name: str, facts: dict[str, object]) -> None:
    """Without Landlock and seccomp the limits and the empty environment still hold."""
    _, printed = run(BLOCKED_AT_L3[name].format(**facts), level="L1")
    assert "ESCAPED" not in printed


@pytest.mark.parametrize("name", ["read-hidden-file", "tcp", "signal-parent"])
def test_l1_does_not_stop_what_it_does_not_claim(name: str, facts: dict[str, object]) -> None:
    """The same attacks succeed at L1, so these tests can tell the levels apart."""
    _, printed = run(BLOCKED_AT_L3[name].format(**facts), level="L1")
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
    code = READ.format(path=str(given / "task.txt"))
    program = [sys.executable, "-I", "-c", code]
    process = jail.launch(program, readable=[given], cwd=given)
    output, _ = process.communicate(timeout=WALL_CLOCK_S)
    jail.kill(process)
    assert output.decode().split("\n")[0] == "the task"


@needs_l3
def test_the_workshop_package_is_not_readable_in_the_jail() -> None:
    """Lessons, solutions and tests lie in the workshop's package: the jail has no way in."""
    _, printed = run("import headwater_workshop.jail; print('ESCAPED')")
    assert "ESCAPED" not in printed
    _, printed = run(READ.format(path=jail.__file__))
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
        "import sys; from pathlib import Path; from headwater_workshop import jail\n"
        "code = \"print('up', flush=True); import time; time.sleep(60)\"\n"
        "p = jail.launch([sys.executable, '-I', '-c', code], readable=(), cwd=Path('/'))\n"
        "p.stdout.readline(); print(p.pid, flush=True); sys.stdin.read()\n"
    )
    environment = {"PYTHONPATH": str(Path(jail.__file__).parent.parent)}
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
    lacking = [name for name in report.missing if name != "rlimits"]
    assert (report.level == "L3") == (not lacking)
    assert bool(landlock.abi()) == ("Landlock" not in report.missing)
    assert seccomp.available() == ("seccomp" not in report.missing)


def test_without_landlock_the_level_is_l1(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without Landlock degrades honestly: level L1, and the report says why."""
    jail.jail_report.cache_clear()
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    try:
        report = jail.jail_report()
    finally:
        jail.jail_report.cache_clear()
    assert (report.level, "Landlock" in report.missing) == ("L1", True)


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
