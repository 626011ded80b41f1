"""Refuses files, sockets and processes while a query or mutation runs (HW203).

Python tells an audit hook of each. The hook cannot be taken away again, so it is there from the
first guarded backend on and asks a flag that the driver keeps anyway. What it refuses sticks to the
call, also when the handler swallows it. A net, not a jail: it cannot see what is open already.
"""

from __future__ import annotations

import sys
from functools import cache
from types import FrameType
from typing import Any, Final

from headwater.core.callsite import DRIVING, RUNTIME, USER, ranks_of
from headwater.core.spending import note_network
from headwater.core.timelimit import known
from headwater.core.watch import Watch

_FILES: Final = "works with files"
_NETWORK: Final = "reaches the network"
_PROCESS: Final = "starts a process"
_EVENTS: Final[dict[str, tuple[str, str]]] = {
    "open": ("HW203", "opens a file"),
    **dict.fromkeys(
        (
            "os.listdir", "os.scandir", "os.mkdir", "os.rmdir", "os.remove", "os.rename",
            "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.utime",
        ),
        ("HW203", _FILES),
    ),
    **dict.fromkeys(
        (
            "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname",
            "socket.gethostbyaddr", "socket.sendto", "socket.sendmsg",
        ),
        ("HW203", _NETWORK),
    ),
    **dict.fromkeys(
        (
            "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.spawn",
            "os.posix_spawn", "os.startfile", "webbrowser.open",
        ),
        ("HW203", _PROCESS),
    ),
    "sqlite3.connect": ("HW203", "opens a database"),
    "builtins.input": ("HW203", "reads from the terminal"),
    "os.putenv": ("HW503", "changes the environment"),
    "os.unsetenv": ("HW503", "changes the environment"),
    "time.sleep": ("HW204", "waits for time to pass"),  # told of from Python 3.13 on
    "_thread.start_new_thread": ("HW204", "starts a thread"),  # and this from 3.12 on
}  # fmt: skip

# Code that reads files on behalf of anybody: first imports, messages, logs, calendars, debuggers.
_PASSING: Final = frozenset(
    {
        *("importlib", "encodings", "linecache", "tokenize", "traceback", "warnings", "inspect"),
        *("logging", "weakref", "mimetypes", "zoneinfo", "tzdata", "locale", "gettext"),
        *("bdb", "pdb", "pydevd", "_pydevd_bundle", "debugpy", "coverage", "_pytest"),
    }
)
_SETTINGS: Final = "headwater.environment"


@cache
def install() -> None:
    """Begins to look, once per process."""
    sys.addaudithook(_hook)


def _hook(
    event: str,
    arguments: tuple[Any, ...],
    _events: Any = _EVENTS,
    _known: Any = known,
    _note_network: Any = note_network,
) -> None:
    if event in _events:
        watch = getattr(_known, "watch", None)
        if watch is not None and watch.in_user and watch.run.guarded:
            _judge(watch, event, arguments)
        elif event == "socket.connect":
            _note_network()


def _judge(watch: Watch, event: str, arguments: tuple[Any, ...]) -> None:
    frame = sys._getframe(2)
    watch.in_user = False  # wording a violation may itself read files
    try:
        code, what = _EVENTS[event]
        subject = arguments[0] if arguments else None
        if event == "open" and not isinstance(subject, str | bytes):
            return  # a descriptor that is open already
        if _passes(frame, subject) or watch.run.allows(code, frame):
            return
        if event == "open":
            what = f"opens the file {subject!r:.80}"
        violation = watch.run.refuse(code, what, frame)
    finally:
        watch.in_user = True
    raise violation


def _passes(frame: FrameType | None, subject: Any) -> bool:
    """True for what is no deed of the handler: somebody on the stack reads files for himself."""
    ranks, near = ranks_of(None), True
    while frame is not None and not frame.f_code.co_filename.startswith(DRIVING):
        file, module = frame.f_code.co_filename, str(frame.f_globals.get("__name__"))
        if file.startswith("<frozen importlib") or module.partition(".")[0] in _PASSING:
            return True
        if module == _SETTINGS or frame.f_code.co_name == "__del__":
            return True
        if near and ranks[file] == RUNTIME:
            return True
        near = near and ranks[file] < USER
        frame = frame.f_back
    return isinstance(subject, str) and subject.startswith(_time_zones())


def _time_zones() -> tuple[str, ...]:
    """Where zoneinfo reads from C code, of which no frame tells."""
    zoneinfo = sys.modules.get("zoneinfo")
    return tuple(getattr(zoneinfo, "TZPATH", ()))
