"""A system call filter: what is not on the list does not exist for the process.

Allowed are the calls that a Python program needs to compute, to wait and to talk over descriptors
it was given. Calls that reach other processes, the network or files for writing answer EPERM; all
others, future ones included, answer ENOSYS, which the C library takes as an old kernel. A program
that may reach some TCP ports also gets sockets for streams and `connect`; which ports those are is
Landlock's part.

The filter is BPF code: each instruction is (code, jump if true, jump if false, constant) and looks
at struct seccomp_data: the call's number, the architecture, and six arguments of two words each.
"""

import ctypes
import errno
import os
import platform
import signal
import struct
from dataclasses import dataclass

# name/number on x86-64/number on aarch64; "-" where an architecture lacks the call
_ALLOWED = """
    read/0/63 write/1/64 readv/19/65 writev/20/66 pread64/17/67 pwrite64/18/68 preadv/295/69
    pwritev/296/70 lseek/8/62 close/3/57 close_range/436/436 dup/32/23 dup2/33/- dup3/292/24
    flock/73/32 pipe/22/- pipe2/293/59 open/2/- openat/257/56 access/21/-
    faccessat/269/48 faccessat2/439/439 readlink/89/- readlinkat/267/78 stat/4/- lstat/6/-
    fstat/5/80 newfstatat/262/79 statx/332/291 statfs/137/43 fstatfs/138/44 getdents/78/-
    getdents64/217/61 getcwd/79/17 chdir/80/49 fchdir/81/50 umask/95/166 fsync/74/82
    fdatasync/75/83 fadvise64/221/223 readahead/187/213 mmap/9/222 munmap/11/215 mprotect/10/226
    mremap/25/216 madvise/28/233 mincore/27/232 brk/12/214 mlock/149/228 munlock/150/229
    membarrier/324/283 msync/26/227 rt_sigaction/13/134 rt_sigprocmask/14/135 rt_sigreturn/15/139
    rt_sigpending/127/136 rt_sigsuspend/130/133 rt_sigtimedwait/128/137 sigaltstack/131/132
    pause/34/- restart_syscall/219/128 futex/202/98 futex_waitv/449/449 set_robust_list/273/99
    get_robust_list/274/100 set_tid_address/218/96 rseq/334/293 arch_prctl/158/-
    sched_yield/24/124 sched_getaffinity/204/123 sched_getparam/143/121 sched_getscheduler/145/120
    sched_get_priority_max/146/125 sched_get_priority_min/147/126 exit/60/93 exit_group/231/94
    getpid/39/172 getppid/110/173 gettid/186/178 getuid/102/174 geteuid/107/175 getgid/104/176
    getegid/108/177 getresuid/118/148 getresgid/120/150 getgroups/115/158 getpgrp/111/-
    getpgid/121/155 getsid/124/156 getpriority/140/141 capget/125/90 uname/63/160 sysinfo/99/179
    getrusage/98/165 getrlimit/97/163 times/100/153 time/201/- gettimeofday/96/169
    clock_gettime/228/113 clock_getres/229/114 clock_nanosleep/230/115 nanosleep/35/101
    getcpu/309/168 getrandom/318/278 alarm/37/- getitimer/36/102 setitimer/38/103
    timer_create/222/107 timer_settime/223/110 timer_gettime/224/108 timer_getoverrun/225/109
    timer_delete/226/111 timerfd_create/283/85 timerfd_settime/286/86 timerfd_gettime/287/87
    poll/7/- ppoll/271/73 select/23/- pselect6/270/72 epoll_create/213/- epoll_create1/291/20
    epoll_ctl/233/21 epoll_wait/232/- epoll_pwait/281/22 epoll_pwait2/441/441 eventfd/284/-
    eventfd2/290/19 recvfrom/45/207 sendmsg/46/211 recvmsg/47/212
    shutdown/48/210 getsockname/51/204 getpeername/52/205 getsockopt/55/209 setsockopt/54/208
"""

_REFUSED = """
    fork/57/- vfork/58/- execve/59/221 socket/41/198 connect/42/203 bind/49/200 listen/50/201
    accept/43/202 accept4/288/242 ptrace/101/117 process_vm_readv/310/270
    process_vm_writev/311/271 tkill/200/130 rt_sigqueueinfo/129/138 rt_tgsigqueueinfo/297/240
    pidfd_open/434/434 pidfd_send_signal/424/424 pidfd_getfd/438/438 setrlimit/160/164
    setsid/112/157 setpgid/109/154 setuid/105/146 setgid/106/144 setreuid/113/145 setregid/114/143
    setresuid/117/147 setresgid/119/149 setgroups/116/159 unshare/272/97 setns/308/268
    chroot/161/51 mount/165/40 umount2/166/39 pivot_root/155/41 bpf/321/280
    perf_event_open/298/241 truncate/76/45 ftruncate/77/46 mkdir/83/- mkdirat/258/34 rmdir/84/-
    unlink/87/- unlinkat/263/35 rename/82/- renameat/264/38 renameat2/316/276 link/86/-
    linkat/265/37 symlink/88/- symlinkat/266/36 chmod/90/- fchmod/91/52 fchmodat/268/53 chown/92/-
    fchown/93/55 lchown/94/- fchownat/260/54 creat/85/- mknod/133/- mknodat/259/33
    utimensat/280/88
"""

_CHECKED = """
    clone/56/220 kill/62/129 tgkill/234/131 prctl/157/167 prlimit64/302/261
    execveat/322/281 ioctl/16/29 fcntl/72/25 socketpair/53/199 sendto/44/206
"""

_MACHINES = {  # machine: (column above, AUDIT_ARCH, number of seccomp)
    "x86_64": (1, 0xC000003E, 317),
    "aarch64": (2, 0xC00000B7, 277),
}

_CLONE_THREAD = 0x10000
_AF_UNIX, _SOCK_STREAM, _SOCK_TYPE_MASK = 1, 1, 0xF
_AT_EMPTY_PATH = 0x1000
_PRCTL_HARMLESS = (15, 16, 23, 0x53564D41)  # set name, get name, read bounding set, name memory
_IOCTL_HARMLESS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C542A)  # tty?, blocking
_FCNTL_SIGNALS_OTHERS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX

_LOAD, _AND, _EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS

_SECCOMP_SET_MODE_FILTER, _SECCOMP_GET_ACTION_AVAIL = 1, 2
_SECCOMP_FILTER_FLAG_TSYNC = 1

_AF_INET, _TCP_PROTOCOLS, _MSG_FASTOPEN = 2, (0, 6), 0x20000000
_FOR_CONNECTING = ("socket", "connect", "sendmsg")
"""Decided by their arguments where ports are open. TCP alone: Landlock knows no other protocol; and
no sending that connects by itself, which it does not see."""

Instruction = tuple[int, int, int, int]


@dataclass(frozen=True)
class _Test:
    """One word of a call's arguments, masked, must be one of `values` (or none of them)."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    high: bool = False
    negated: bool = False


def _null(argument: int) -> list[_Test]:
    return [_Test(argument, (0,)), _Test(argument, (0,), high=True)]


def _tests(pid: int, exec_fd: int) -> dict[str, list[_Test]]:
    """What the arguments of a checked call must look like; all tests of a call must hold."""
    return {
        "clone": [_Test(0, (_CLONE_THREAD,), mask=_CLONE_THREAD)],
        "kill": [_Test(0, (pid,))],
        "tgkill": [_Test(0, (pid,))],
        "prctl": [_Test(0, _PRCTL_HARMLESS)],
        "prlimit64": _null(2),
        "execveat": [_Test(0, (exec_fd,)), _Test(4, (_AT_EMPTY_PATH,))],
        "ioctl": [_Test(1, _IOCTL_HARMLESS)],
        "fcntl": [_Test(1, _FCNTL_SIGNALS_OTHERS, negated=True)],
        "socketpair": [_Test(0, (_AF_UNIX,)), _Test(1, (_SOCK_STREAM,), mask=_SOCK_TYPE_MASK)],
        "sendto": _null(4),
        "socket": [
            _Test(0, (_AF_INET,)),
            _Test(1, (_SOCK_STREAM,), mask=_SOCK_TYPE_MASK),
            _Test(2, _TCP_PROTOCOLS),
        ],
        "connect": [],
        "sendmsg": [_Test(2, (0,), mask=_MSG_FASTOPEN)],
    }


def _numbers(table: str, column: int) -> dict[str, int]:
    cells = (entry.split("/") for entry in table.split())
    return {cell[0]: int(cell[column]) for cell in cells if cell[column] != "-"}


def _code_for_test(test: _Test) -> list[Instruction]:
    """Return EPERM unless the test holds; fall through when it does."""
    count = len(test.values)
    code = [(_LOAD, 0, 0, 16 + 8 * test.argument + 4 * test.high)]
    if test.mask != 0xFFFFFFFF:
        code.append((_AND, 0, 0, test.mask))
    for place, value in enumerate(test.values):
        if test.negated:  # a match jumps to the refusal, the last mismatch over it
            code.append((_EQUAL, count - place - 1, int(place == count - 1), value))
        else:  # a match jumps over the refusal, the last mismatch runs into it
            code.append((_EQUAL, count - place, 0, value))
    return [*code, (_RETURN, 0, 0, _EPERM)]


def _code_for_call(number: int, body: list[Instruction]) -> list[Instruction]:
    """Run `body`, which must return, when the call has this number; else go on after it."""
    return [(_EQUAL, 0, len(body), number), *body]


def program(pid: int, exec_fd: int, machine: str, *, network: bool = False) -> list[Instruction]:
    """The filter for process `pid`, which may still execute the program open as `exec_fd`; with
    `network` it may open TCP connections.
    """
    column, architecture, _ = _MACHINES[machine]
    allowed, refused, checked = (
        _numbers(table, column) for table in (_ALLOWED, _REFUSED, _CHECKED)
    )
    for name in _FOR_CONNECTING if network else ():
        checked[name] = allowed.pop(name, 0) or refused.pop(name)
    code = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL_PROCESS)]
    code.append((_LOAD, 0, 0, 0))
    for number in allowed.values():
        code += _code_for_call(number, [(_RETURN, 0, 0, _ALLOW)])
    for number in refused.values():
        code += _code_for_call(number, [(_RETURN, 0, 0, _EPERM)])
    tests = _tests(pid, exec_fd)
    for name, number in checked.items():
        body = [step for test in tests[name] for step in _code_for_test(test)]
        code += _code_for_call(number, [*body, (_RETURN, 0, 0, _ALLOW)])
    return [*code, (_RETURN, 0, 0, _ENOSYS)]


def available() -> bool:
    """Whether this kernel takes filters and we know this machine's call numbers."""
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        return False
    action = ctypes.c_uint32(_ERRNO)
    seccomp = _MACHINES[platform.machine()][2]
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.syscall(seccomp, _SECCOMP_GET_ACTION_AVAIL, 0, ctypes.byref(action)) == 0)


def execveat_number() -> int:
    """The number of `execveat` here, the only call that may start the program."""
    return _numbers(_CHECKED, _MACHINES[platform.machine()][0])["execveat"]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def restrict(exec_fd: int, *, network: bool = False) -> None:
    """Put this process and what it executes under the filter. `no_new_privs` must be set."""
    signal.signal(signal.SIGSYS, signal.SIG_DFL)
    machine = platform.machine()
    code = program(os.getpid(), exec_fd, machine, network=network)
    steps = b"".join(struct.pack("HBBI", *step) for step in code)
    buffer = ctypes.create_string_buffer(steps, len(steps))
    attr = _Program(len(steps) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    mode, flag = _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC
    if libc.syscall(_MACHINES[machine][2], mode, flag, ctypes.byref(attr)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")
