"""The launcher process of jail.py: shuts itself in, then becomes the program.

At L3 the program is executed through a descriptor whose number lies above the limit of open files.
It closes on execution and the number can never be used again, so the filter's one permission to
execute is spent by the start itself.
"""

import ctypes
import fcntl
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from headwater_workshop.sandbox import bubblewrap, landlock, seccomp

JAIL_FAILED = 97  # exit code: the jail could not be closed, so nothing was run

_OPEN_FILES = 64
_THREADS = 48  # at L1, where a thread cannot be told from a process; clients of HTTP start some
_NO_FILE = 2 * _OPEN_FILES  # a descriptor with this number, or a higher one, cannot be made inside
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP = 1, 38, 24
_CAP_DAC_READ_SEARCH = 2  # kept, so that root still reads files others own; Landlock limits which
_CAP_LAST = 63
_CAPABILITY_VERSION_3 = 0x20080522


def main() -> None:
    """Do what the JailSpec at the head of standard input says. Never returns."""
    try:
        _enter(_orders())
    except Exception as error:
        print(f"The jail could not be closed: {error!r}", file=sys.stderr, flush=True)
    os._exit(JAIL_FAILED)


def shut_in(parent: int) -> None:
    """Shut this process in as the JailSpec at the head of its standard input says, and go on in it:
    it executes nothing any more.

    Args:
        parent: whom it ends with.
    """
    _restrict({**_orders(), "parent": parent}, _NO_FILE)


def _enter(spec: dict[str, Any]) -> None:
    program = os.open(spec["argv"][0], os.O_RDONLY | os.O_CLOEXEC)
    exec_fd = fcntl.fcntl(program, fcntl.F_DUPFD_CLOEXEC, _NO_FILE)
    _restrict(spec, exec_fd)
    if spec["level"] == "L3":
        _execute(exec_fd, spec["argv"], spec["environment"])
    if spec["level"] == "L2":
        _execute_wrapped(spec)
    variables = dict(each.split("=", 1) for each in spec["environment"])
    os.execve(spec["argv"][0], spec["argv"], variables)


def _restrict(spec: dict[str, Any], exec_fd: int) -> None:
    if sys.platform == "linux":
        _die_with(spec["parent"])
        _give_up_privileges()
    if spec["level"] == "L3":
        readable, listable = map(Path, spec["readable"]), map(Path, spec["listable"])
        landlock.restrict(readable, listable, spec["ports"])
    _limit(spec)
    if spec["level"] == "L3":
        seccomp.restrict(exec_fd, network=bool(spec["ports"]))


def _orders() -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(_take(int.from_bytes(_take(4), "big")))
    return spec


def _take(count: int) -> bytes:
    """Exactly `count` bytes, unbuffered: what follows belongs to the program."""
    taken = b""
    while len(taken) < count:
        piece = os.read(0, count - len(taken))
        if not piece:
            raise EOFError("no orders came")
        taken += piece
    return taken


def _die_with(parent: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(JAIL_FAILED)


def _prctl(option: int, value: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    return int(libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero))


def _give_up_privileges() -> None:
    if _prctl(_PR_SET_NO_NEW_PRIVS, 1) != 0:
        raise OSError("no_new_privs was refused")
    for capability in range(_CAP_LAST + 1):
        if capability != _CAP_DAC_READ_SEARCH:
            _prctl(_PR_CAPBSET_DROP, capability)  # refused without privilege: nothing to drop
    keep = 1 << _CAP_DAC_READ_SEARCH if os.geteuid() == 0 else 0
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(keep, keep, 0, 0, 0, 0)  # effective, permitted, inheritable
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, sets) != 0:
        empty = (ctypes.c_uint32 * 6)(0, 0, 0, 0, 0, 0)  # root without that capability
        libc.capset(header, empty)


def _limit(spec: dict[str, Any]) -> None:
    memory, cpu = spec["memory_mb"] * 1024 * 1024, spec["cpu_s"]
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
    }
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
    if spec["level"] == "L3":
        for name, value in limits.items():
            resource.setrlimit(name, (value, value))
        return
    limits[resource.RLIMIT_NPROC] = _tasks_of_user() + _THREADS  # does not bind root
    for name, value in limits.items():
        with suppress(ValueError, OSError):  # some systems do not know a limit: L1 promises little
            resource.setrlimit(name, (value, value))


def _tasks_of_user() -> int:
    """The processes and threads of this user: the limit of their number counts all of them. Where
    only processes are counted (macOS) none may be added.
    """
    if sys.platform != "linux":
        return -_THREADS
    found, user = 0, os.getuid()
    for process in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError):  # ended meanwhile
            if os.stat(f"/proc/{process}").st_uid == user:
                found += len(os.listdir(f"/proc/{process}/task"))
    return found


def _execute(exec_fd: int, argv: list[str], environment: list[str]) -> None:
    arguments, variables = _texts(argv), _texts(environment)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(seccomp.execveat_number(), exec_fd, b"", arguments, variables, 0x1000)
    raise OSError(ctypes.get_errno(), "execveat was refused")


def _execute_wrapped(spec: dict[str, Any]) -> None:
    bwrap = bubblewrap.program()
    if bwrap is None:
        raise OSError("there is no bubblewrap")
    words = bubblewrap.arguments(
        bwrap, spec["argv"], spec["readable"], spec["environment"], os.getcwd()
    )
    os.execve(bwrap, words, {})


def _texts(texts: list[str]) -> "ctypes.Array[ctypes.c_char_p]":
    return (ctypes.c_char_p * (len(texts) + 1))(*map(os.fsencode, texts), None)
