"""The warm process: imports what a worker needs, then forks one for each order. See warm.py."""

import gc
import json
import os
import socket
import sys
import time
import traceback
from typing import Any, NoReturn

from headwater import routes, worker
from headwater_workshop.sandbox import child

_ORDER_BYTES = 65_536
_PAUSE_S = 0.001
_LONGEST_S = 30.0
PRELOADED = (routes, worker)


def main(fd: int) -> None:
    """Take orders until there are none: from a socket that is open as `fd`."""
    gc.freeze()  # what is there stays, so that workers share its memory
    with socket.socket(fileno=fd) as control:
        while True:
            order, fds, _, _ = socket.recv_fds(control, _ORDER_BYTES, 3)
            if not order:
                return  # the grader is gone; workers are told by the system
            wanted = json.loads(order)
            answer = {"number": wanted["number"], **_done(wanted, fds, control)}
            control.send(json.dumps(answer).encode())


def _done(order: dict[str, Any], fds: list[int], control: socket.socket) -> dict[str, Any]:
    if "wait" in order:
        return {"code": _exit_code(order["wait"], order["seconds"])}
    parent, (apart, set_apart) = os.getpid(), os.pipe()
    pid = os.fork()
    if pid == 0:
        control.close()
        _become_worker(order["start"], fds, parent, set_apart)
    for each in (*fds, set_apart):
        os.close(each)
    os.read(apart, 1)  # it leads a group, by which it can be ended
    os.close(apart)
    return {"pid": pid}


def _become_worker(cwd: str, fds: list[int], parent: int, set_apart: int) -> NoReturn:
    try:
        os.setsid()
        os.write(set_apart, b".")
        for number, each in enumerate(fds):
            os.dup2(each, number)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.chdir(cwd)
        child.shut_in(parent)
        worker.main()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(1)


def _exit_code(pid: int, seconds: float | None) -> int | None:
    """What a worker ended with, by the sign of a signal; None when it goes on."""
    deadline = time.monotonic() + (_LONGEST_S if seconds is None else seconds)
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            return None
        time.sleep(_PAUSE_S)
