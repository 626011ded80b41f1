"""A jailed program that was given one port: it reaches that one, and nothing else."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from headwater_workshop.sandbox import jail, landlock, seccomp
from tests.workshop.test_jail import AARCH64, ALLOW, EPERM, WALL_CLOCK_S, verdict

needs_ports = pytest.mark.skipif(
    jail.jail_level(network=True) != "L3", reason="this kernel cannot open single ports"
)

# Each ends without an error only after it did what the jail must prevent.
HEAD = "import ctypes, os, socket\nTCP = (socket.AF_INET, socket.SOCK_STREAM)\n"
FAST_OPEN = 0x20000000
ATTACKS = {
    "another port": "socket.create_connection(('127.0.0.1', {other}), 2)",
    "another port without waiting": (
        "s = socket.socket(*TCP); s.setblocking(False)\n"
        "code = s.connect_ex(('127.0.0.1', {other}))\n"
        "assert code == 115, 'blocked'"
    ),
    "another port by sending": (
        "s = socket.socket(*TCP); s.sendmsg([b'x'], [], {fast}, ('127.0.0.1', {other}))"
    ),
    "another port by sending to": (
        "s = socket.socket(*TCP); s.sendto(b'x', {fast}, ('127.0.0.1', {other}))"
    ),
    "another port by sending many": (
        "s = socket.socket(*TCP); libc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.sendmmsg(s.fileno(), None, 0, {fast}) < 0: raise OSError(ctypes.get_errno(), 'x')"
    ),
    "another port after a first": (
        "s = socket.socket(*TCP); s.connect(('127.0.0.1', {port}))\n"
        "s.connect(('127.0.0.1', {other}))"
    ),
    "IPv6": "socket.create_connection(('::1', {six}), 2)",
    "UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
    "UDP, connected": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))",
    "raw": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "multipath TCP": "socket.socket(*TCP, 262)",
    "SCTP": "socket.socket(*TCP, 132)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "packet": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "vsock": "socket.socket(40, socket.SOCK_STREAM)",
    "unix": "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
    "bind": "socket.socket(*TCP).bind(('127.0.0.1', 0))",
    "listen": "socket.socket(*TCP).listen()",
    "a server": "socket.create_server(('127.0.0.1', {port}))",
    "accept": (
        "one, other = socket.socketpair()\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.accept(one.fileno(), None, None) < 0: raise OSError(ctypes.get_errno(), 'x')"
    ),
}
EACH = """
for name, code in {attacks}.items():
    try:
        exec(code)
        print(f'{{name}}: ESCAPED')
    except Exception as error:
        print(f'{{name}}: {{type(error).__name__}}')
"""


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """Three that listen: the one that is given, another, and one of IPv6."""
    with ExitStack() as stack:
        listening = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        port, other = (each.getsockname()[1] for each in listening)
        six = 9
        if socket.has_ipv6:
            try:
                server = socket.create_server(("::1", 0), family=socket.AF_INET6)
                six = stack.enter_context(server).getsockname()[1]
            except OSError:
                six = 9  # no such address here: the attack fails for another reason
        yield {"port": port, "other": other, "six": six, "fast": FAST_OPEN}


def run(code: str, *ports: int) -> str:
    """What Python code prints in the jail."""
    program = [sys.executable, "-I", "-c", HEAD + code + "\nprint('ESCAPED')"]
    process = jail.launch(program, readable=(), cwd=Path("/"), ports=ports)
    try:
        output, errors = process.communicate(timeout=WALL_CLOCK_S)
    finally:
        jail.kill(process)
    return (output + errors).decode()


@needs_ports
def test_the_given_port_is_reached(ports: dict[str, int]) -> None:
    """A connection to it works, so that the attacks fail for what they are."""
    code = "s = socket.create_connection(('127.0.0.1', {port}), 5); s.sendall(b'hello')"
    assert "ESCAPED" in run(code.format(**ports), ports["port"])
    assert "ESCAPED" in run(code.format(port=ports["other"]), ports["port"], ports["other"])
    assert "ESCAPED" not in run(code.format(**ports))


@pytest.fixture(scope="module")
def ended(ports: dict[str, int]) -> dict[str, str]:
    """How each attack ended, all in one process that was given one port."""
    attacks = {name: code.format(**ports) for name, code in ATTACKS.items()}
    printed = run(EACH.format(attacks=attacks), ports["port"])
    return dict(line.split(": ", 1) for line in printed.splitlines() if ": " in line)


@needs_ports
@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_but_the_given_port_is_reached(name: str, ended: dict[str, str]) -> None:
    """Other ports, protocols, families and roles are refused."""
    assert ended[name].endswith("Error")


def test_without_port_rules_a_run_with_a_network_counts_as_l1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A kernel whose Landlock knows no ports is named for what it cannot hold."""
    monkeypatch.setattr(landlock, "abi", lambda: 3)
    assert jail.jail_level(network=True) == "L1"
    assert jail.jail_level() == jail.jail_report().level


@pytest.mark.parametrize(
    ("call", "number", "words", "expected"),
    [
        ("a TCP socket", 198, (2, 0, 0x80801, 0, 6), ALLOW),
        ("a TCP socket by default", 198, (2, 0, 1, 0, 0), ALLOW),
        ("a UDP socket", 198, (2, 0, 2, 0, 0), EPERM),
        ("a unix socket", 198, (1, 0, 1, 0, 0), EPERM),
        ("multipath TCP", 198, (2, 0, 1, 0, 262), EPERM),
        ("connect", 203, (3,), ALLOW),
        ("sendmsg", 211, (3, 0, 0, 0, 0x4000), ALLOW),
        ("sendmsg that connects", 211, (3, 0, 0, 0, FAST_OPEN), EPERM),
        ("bind", 200, (3,), EPERM),
        ("listen", 201, (3,), EPERM),
    ],
)
def test_the_aarch64_filter_with_a_network_decides_as_meant(
    call: str, number: int, words: tuple[int, ...], expected: int
) -> None:
    """The same for the machine that is not at hand."""
    code = seccomp.program(pid=123, exec_fd=128, machine="aarch64", network=True)
    assert verdict(code, AARCH64, number, *words) == expected, call
