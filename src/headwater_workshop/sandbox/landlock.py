"""Landlock: a process gives up the file system for good, except for the paths it names.

Needs Linux 5.13 and no privilege. Only reading is ever granted here: a path in `readable` may be
read, listed and executed, a path in `listable` may have its names listed, nothing may be written.
TCP (kernel 6.7) and signals (kernel 6.12) are closed where the kernel can do it; the system call
filter of seccomp.py closes them everywhere. Single TCP ports may be opened again for connecting;
the rule is for the port, the kernel has none for the address.
"""

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG = 1
_RULE_PATH_BENEATH, _RULE_NET_PORT = 1, 2

_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many file rights each version knows
_TCP_ABI = 4
_TCP_RIGHTS, _CONNECT_TCP = 0b11, 0b10  # bind and connect
_SCOPES = 0b11  # abstract sockets and signals, from version 6


class _RulesetAttr(ctypes.Structure):
    _fields_ = [
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    ]


class _PathBeneathAttr(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


class _NetPortAttr(ctypes.Structure):
    _fields_ = [("allowed_access", ctypes.c_uint64), ("port", ctypes.c_uint64)]


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def abi() -> int:
    """The Landlock version of this kernel; 0 where there is none."""
    try:
        found = _libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    except (OSError, TypeError, AttributeError):  # not Linux
        return 0
    return max(int(found), 0)


def knows_ports() -> bool:
    """Whether this kernel can open one TCP port and hold the others closed."""
    return abi() >= _TCP_ABI


def _open_ruleset(version: int) -> int:
    attr = _RulesetAttr(
        handled_access_fs=(1 << _RIGHTS_BY_ABI.get(version, 16)) - 1,
        handled_access_net=_TCP_RIGHTS if version >= _TCP_ABI else 0,
        scoped=_SCOPES if version >= 6 else 0,
    )
    size = 8 if version < 4 else 16 if version < 6 else 24
    made = _libc().syscall(_CREATE_RULESET, ctypes.byref(attr), ctypes.c_size_t(size), 0)
    return _checked(made, "landlock_create_ruleset")


def _grant(ruleset: int, path: Path, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no permission
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= _EXECUTE | _READ_FILE
        if rights:
            attr = _PathBeneathAttr(allowed_access=rights, parent_fd=fd)
            done = _libc().syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(attr), 0)
            _checked(done, f"landlock_add_rule for {path}")
    finally:
        os.close(fd)


def _grant_port(ruleset: int, port: int) -> None:
    attr = _NetPortAttr(allowed_access=_CONNECT_TCP, port=port)
    done = _libc().syscall(_ADD_RULE, ruleset, _RULE_NET_PORT, ctypes.byref(attr), 0)
    _checked(done, f"landlock_add_rule for port {port}")


def restrict(readable: Iterable[Path], listable: Iterable[Path], ports: Iterable[int] = ()) -> None:
    """Close the file system to this process, except for these paths, and TCP, except for
    connections to these ports. `no_new_privs` must be set.
    """
    ruleset = _open_ruleset(abi())
    try:
        for path in readable:
            _grant(ruleset, path, _EXECUTE | _READ_FILE | _READ_DIR)
        for path in listable:
            _grant(ruleset, path, _READ_DIR)
        for port in ports if knows_ports() else ():
            _grant_port(ruleset, port)
        _checked(_libc().syscall(_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)
