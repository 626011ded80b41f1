"""Starts a program that may compute and answer, and nothing else: it cannot write a file, reach the
network, start or signal a process, or read more than it was given.

Levels, named in every result:

    L3  Landlock, a system call filter and resource limits (Linux 5.13 and later; x86-64, aarch64)
    L2  bubblewrap and resource limits, for an ordinary user: where the kernel lacks those two
    L1  resource limits, own process group, wall clock: where there is no bubblewrap either

A program may be given single TCP ports of this machine to connect to. Where the kernel cannot tell
ports apart (Landlock before ABI 4) the rest of L3 still holds, but such a run counts as L1; so does
one at L2, which has no network at all.

Windows has none of them. The caller keeps the wall clock and ends the process with `kill`.
"""

import functools
import importlib.util
import json
import os
import signal
import site
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from headwater.pipe import Process
from headwater_workshop.sandbox import bubblewrap, landlock, seccomp
from headwater_workshop.sandbox.warm import WarmGone, named, start_warm

_WITHHELD = "headwater_workshop"  # lessons, their solutions and tests are in this package
_SYSTEM_PATHS = (
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/share/zoneinfo",
    "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom",
    # an HTTP client reads these as it is made
    "/etc/ssl/openssl.cnf", "/etc/ssl/certs", "/etc/ssl/cert.pem", "/usr/share/ca-certificates",
    "/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/ca-trust/extracted",
)  # fmt: skip
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]);"
    "from headwater_workshop.sandbox.child import main; main()"
)


_WARM_FROM = 3  # a warm process takes as long to start as two workers
_workers: Counter[tuple[str, ...]] = Counter()


@dataclass(frozen=True)
class JailReport:
    """What holds on this machine: the level, and what the kernel offers and lacks."""

    level: str
    features: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class JailSpec:
    """What the launcher process does to itself before it becomes the program."""

    level: str
    argv: tuple[str, ...]
    readable: tuple[str, ...]
    listable: tuple[str, ...]
    memory_mb: int
    cpu_s: int
    parent: int
    ports: tuple[int, ...] = ()
    environment: tuple[str, ...] = ()


def _children_but(folder: Path, *withheld: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if not path.name.startswith(withheld)]


def _site_folders() -> list[Path]:
    return [Path(folder) for folder in site.getsitepackages()]


def _package_folder() -> Path:
    spec = importlib.util.find_spec("headwater")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("headwater is not importable, so no worker can be started")
    return Path(next(iter(spec.submodule_search_locations)))


def python_paths() -> list[Path]:
    """What Python and the runtime need to read; never the workshop's own package."""
    standard = Path(sysconfig.get_path("stdlib"))
    paths = [Path(sys.executable), Path(sys.executable).resolve(), Path(sys.prefix, "pyvenv.cfg")]
    paths += _children_but(standard, "site-packages", "dist-packages")
    paths += Path(sys.base_prefix, "lib").glob("libpython*")
    for folder in _site_folders():
        paths += _children_but(folder, _WITHHELD)
    return [*paths, _package_folder()]


def _listable_paths() -> list[Path]:
    standard = Path(sysconfig.get_path("stdlib"))
    return [standard, *_site_folders(), _package_folder().parent]


def launch(
    argv: Sequence[str],
    *,
    readable: Iterable[Path],
    cwd: Path,
    fds: Sequence[int] = (),
    memory_mb: int = 768,
    cpu_s: int = 10,
    level: str | None = None,
    ports: Iterable[int] = (),
    environment: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start `argv`, a program by absolute path, in the jail; its three streams are pipes.

    The program reads `readable` and what Python needs, keeps the descriptors `fds`, and has an
    `environment` alone for its own, and a session of its own. It may connect to `ports` by TCP, and
    to no others. End it with `kill`.
    """
    spec = _spec(argv, readable, level, memory_mb, cpu_s, ports, environment)
    source = str(Path(__file__).parents[2])
    process = _start([sys.executable, "-I", "-S", "-c", _BOOT, source], cwd, fds)
    _send_spec(process, spec)
    return process


def launch_worker(
    *,
    readable: Iterable[Path],
    cwd: Path,
    cpu_s: int,
    ports: Iterable[int] = (),
    environment: Mapping[str, str] | None = None,
) -> Process:
    """Start `headwater.worker` in the jail, as `launch` does; from the third on that a process
    starts with an environment, in a small part of the time.
    """
    _workers[named(environment)] += 1
    warm = sys.platform == "linux" and jail_level() != "L2"  # whose jail is around the start
    if warm and _workers[named(environment)] >= _WARM_FROM:
        with suppress(WarmGone):
            process = start_warm(cwd, environment)
            _send_spec(process, _spec((), readable, None, 768, cpu_s, ports, None))
            return process
    # As -I, but for the environment, which is ours.
    alone = ["-I"] if environment is None else ["-P", "-s"]
    return launch(
        [sys.executable, *alone, "-m", "headwater.worker"],
        readable=readable,
        cwd=cwd,
        cpu_s=cpu_s,
        ports=ports,
        environment=environment,
    )


def expect_workers() -> None:
    """Say that many workers will be started: from the first on they start warm."""
    _workers[named(None)] = _WARM_FROM


def _spec(
    argv: Sequence[str],
    readable: Iterable[Path],
    level: str | None,
    memory_mb: int,
    cpu_s: int,
    ports: Iterable[int],
    environment: Mapping[str, str] | None,
) -> JailSpec:
    return JailSpec(
        level=level or jail_level(),
        argv=tuple(argv),
        readable=tuple(map(str, [*_SYSTEM_PATHS, *python_paths(), *readable])),
        listable=tuple(map(str, _listable_paths())),
        memory_mb=memory_mb,
        cpu_s=cpu_s,
        parent=os.getpid(),
        ports=tuple(ports),
        environment=named(environment),
    )


def _start(command: list[str], cwd: Path, fds: Sequence[int]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        cwd=cwd,
        env={},
        pass_fds=fds,
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _send_spec(process: Process, spec: JailSpec) -> None:
    """The launcher takes its orders from the head of the stream, the program has the rest."""
    assert process.stdin is not None
    text = json.dumps(spec.__dict__).encode()
    try:
        process.stdin.write(len(text).to_bytes(4, "big") + text)
        process.stdin.flush()
    except BrokenPipeError:
        return  # the launcher could not start; its exit code and stderr say why


def kill(process: Process) -> int:
    """End the process and its group, close our ends of its pipes; return its exit code."""
    if process.returncode is None:
        _kill_group(process.pid)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            _close(stream)
    return process.wait()


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # ended by itself


def _close(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return  # unsent bytes for a process that is gone


@functools.cache
def jail_report() -> JailReport:
    """Try the jail once and say what it reached."""
    offers = {
        f"Landlock ABI {landlock.abi()}" if landlock.abi() else "Landlock": landlock.abi() > 0,
        "seccomp": seccomp.available(),
        "rlimits": os.name == "posix",
    }
    features = [name for name, offered in offers.items() if offered]
    missing = [name for name, offered in offers.items() if not offered]
    if not missing and _starts("L3"):
        return JailReport("L3", tuple(features), ())
    wrapped = bubblewrap.program() is not None and _starts("L2")
    (features if wrapped else missing).append("bubblewrap")
    return JailReport("L2" if wrapped else "L1", tuple(features), tuple(missing))


def jail_level(*, network: bool = False) -> str:
    """The level this machine reaches: "L3", "L2" or "L1".

    Args:
        network: for a program that may connect to some ports.
    """
    level = jail_report().level
    return "L1" if network and not (level == "L3" and landlock.knows_ports()) else level


def _starts(level: str) -> bool:
    program = [sys.executable, "-I", "-S", "-c", "print('jailed')"]
    process = launch(program, readable=(), cwd=Path("/"), level=level)
    try:
        output, _ = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        return False
    finally:
        kill(process)
    return output.strip() == b"jailed"
