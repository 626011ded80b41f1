"""Which line is the user's: of an error, of a running stack, of a coroutine that waits.

A file has a rank. Files of this package are the runtime; the standard library and installed
packages are libraries; the rest is the user's, and the project's backend folder most surely so.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

RUNTIME, LIBRARY, USER, BACKEND = range(4)

PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep
DRIVING = tuple(
    PACKAGE + os.path.join("core", name) for name in ("driver.py", "miniloop.py", "watch.py")
)
_INSTALLED = ("site-packages", "dist-packages")
_GENERATED = ("<frozen ", "<string>", "<attrs generated", "<template>")

Spot = tuple[str, str, int, int]
"""Function, file, line, column; the column counts from 1, or is 0 where Python does not know it."""


class Ranks(dict[str, int]):
    """The rank of each file name, worked out once.

    Args:
        root: the project's folder, the one that holds `backend/`.
    """

    def __init__(self, root: Path | None) -> None:
        super().__init__()
        self.roots = _spellings(root) if root is not None else ()

    def __missing__(self, file: str) -> int:
        rank = self[file] = self._rank(file)
        return rank

    def _rank(self, file: str) -> int:
        if file.startswith(DRIVING):
            return LIBRARY  # not RUNTIME: a walk outwards from a request must stop at the driver
        if file.startswith(PACKAGE):
            return RUNTIME
        if any(file.startswith(os.path.join(root, "backend") + os.sep) for root in self.roots):
            return BACKEND
        return LIBRARY if _is_library(file) else USER

    def shown(self, file: str) -> str:
        """The file's path as messages show it: relative to the project where it lies inside."""
        for root in self.roots:
            if file.startswith(root + os.sep):
                return file[len(root) + 1 :].replace(os.sep, "/")
        return file


@cache
def ranks_of(root: Path | None) -> Ranks:
    """The ranks for one project, shared by all its calls."""
    return Ranks(root)


def _spellings(root: Path) -> tuple[str, ...]:
    return tuple(dict.fromkeys((os.path.abspath(root), os.path.realpath(root))))


@cache
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = (form for name in names for form in _spellings(Path(paths[name])))
    return tuple(folder + os.sep for folder in dict.fromkeys(folders))


def _is_library(file: str) -> bool:
    if file.startswith(_GENERATED) or file.startswith(_library_folders()):
        return True
    return any(f"{os.sep}{name}{os.sep}" in file for name in _INSTALLED)


def user_trace(error: BaseException, root: Path | None = None) -> list[Spot]:
    """The user's own chain of calls that led to an error, innermost first.

    Frames of the runtime and of libraries are left out; an error out of a task group begins with
    the trace of the child that failed first.

    Args:
        error: any exception that was raised.
        root: the project's folder; paths inside are shown relative to it.
    """
    ranks = ranks_of(root)
    spots = _user_spots(error, ranks)
    return [(name, ranks.shown(file), line, column) for name, file, line, column in spots]


def user_site(source: BaseException | FrameType | Any, root: Path | None = None) -> str:
    """`backend/tasks.py:12`, the user's innermost line; an empty string where there is none.

    Args:
        source: an error, a frame of a running stack, or a coroutine that is waiting.
        root: the project's folder.
    """
    ranks = ranks_of(root)
    if isinstance(source, BaseException):
        return site_of(((spot[1], spot[2]) for spot in _user_spots(source, ranks)), ranks)
    if isinstance(source, FrameType):
        return site_of(stack_lines(source), ranks)
    return site_of(waiting_lines(source), ranks)


def site_of(lines: Iterable[tuple[str, int]], ranks: Ranks) -> str:
    """The first line under the backend folder, else the first that is the user's at all."""
    second_best = ""
    for file, line in lines:
        rank = ranks[file]
        if rank == BACKEND:
            return f"{ranks.shown(file)}:{line}"
        if rank == USER and not second_best:
            second_best = f"{ranks.shown(file)}:{line}"
    return second_best


def code_site(code: CodeType, instruction: int, ranks: Ranks) -> str:
    """The line of one instruction, for places that were noted without asking for their line."""
    return f"{ranks.shown(code.co_filename)}:{_position(code, instruction)[0]}"


def stack_lines(frame: FrameType | None) -> Iterator[tuple[str, int]]:
    """File and line of a frame and its callers, up to the driver that runs the handler."""
    while frame is not None and not frame.f_code.co_filename.startswith(DRIVING):
        yield frame.f_code.co_filename, frame.f_lineno or 0
        frame = frame.f_back


def waiting_lines(waiting: Any) -> list[tuple[str, int]]:
    """File and line of what a coroutine awaits, and of the coroutine itself; innermost first."""
    lines = []
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is not None:
            lines.append((frame.f_code.co_filename, frame.f_lineno or 0))
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    return lines[::-1]


def _user_spots(error: BaseException, ranks: Ranks) -> list[Spot]:
    spots = [spot for spot in _spots(error) if ranks[spot[1]] >= USER]
    if any(ranks[spot[1]] == BACKEND for spot in spots):
        return [spot for spot in spots if ranks[spot[1]] == BACKEND]
    return spots


def _spots(error: BaseException) -> list[Spot]:
    inner = _spots(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else []
    return inner + list(_traceback_spots(_from_driver(error.__traceback__)))[::-1]


def _from_driver(traceback: TracebackType | None) -> TracebackType | None:
    """Without the frames outside the driver: they called the engine, not the handler."""
    entry = traceback
    while entry is not None:
        if entry.tb_frame.f_code.co_filename.startswith(DRIVING):
            return entry
        entry = entry.tb_next
    return traceback


def _traceback_spots(traceback: TracebackType | None) -> Iterator[Spot]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        line, column = _position(code, traceback.tb_lasti)
        yield code.co_qualname, code.co_filename, line, column
        traceback = traceback.tb_next


def _position(code: CodeType, instruction: int) -> tuple[int, int]:
    found = next(islice(code.co_positions(), max(instruction, 0) // 2, None), None)
    line, _, column, _ = found or (None, None, None, None)
    return line or code.co_firstlineno, 0 if column is None else column + 1
