"""Log lines of a call: what `print` and `logging` say inside a function, as its clients see it."""

from __future__ import annotations

import builtins
import io
import logging
import sys
from contextvars import ContextVar
from typing import Any, Final

from headwater.core.callsite import USER, ranks_of
from headwater.settings import Limits

_LEVELS: Final = {"WARNING": "WARN", "CRITICAL": "ERROR"}


class CallLog:
    """The lines of one call, bounded; what is too much is left out and said so."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._dropped = 0
        self._lines: list[str] = []

    @property
    def lines(self) -> list[str]:
        """The lines, with a last one that counts what was left out."""
        if not self._dropped:
            return self._lines
        return [*self._lines, f"[WARN] '{self._dropped} more log lines were left out'"]

    def add(self, level: str, text: str) -> None:
        """Adds a line such as `[LOG] 'text'`."""
        if len(self._lines) >= self._limits.log_lines:
            self._dropped += 1
            return
        raw = f"[{level}] {text}".encode(errors="replace")
        limit = self._limits.log_line_bytes
        cut = raw if len(raw) <= limit else raw[: limit - 3] + b"..."
        self._lines.append(cut.decode(errors="ignore"))  # not half a character at the cut


current_log: ContextVar[CallLog | None] = ContextVar("headwater_call_log", default=None)
"""The log of the call that runs in this context."""


def logged_print(*values: object, sep: str | None = " ", **options: Any) -> None:
    """`print` as backend modules see it: a log line while a function runs, else the real one.

    Each call is a line of its own, whatever its `end` says.
    """
    log = current_log.get()
    if log is None or options.get("file") not in (None, sys.stdout):
        builtins.print(*values, sep=sep, **options)
        return
    log.add("LOG", (" " if sep is None else sep).join(_shown(value) for value in values))


def _shown(value: object) -> str:
    if isinstance(value, io.IOBase):
        return f"<{type(value).__name__}>"
    return repr(str(value)) if isinstance(value, str) else repr(value)


class CallLogHandler(logging.Handler):
    """Brings records of the logging module into the log of the call that made them."""

    def emit(self, record: logging.LogRecord) -> None:
        """Adds the record's message under its level's name, with the traceback if it has one.

        What a library says below a warning is left out: nobody asked for it.
        """
        log = current_log.get()
        if log is None or (record.levelno < logging.WARNING and _is_librarys(record.pathname)):
            return
        log.add(_LEVELS.get(record.levelname, record.levelname), repr(self.format(record)))


def _is_librarys(file: str) -> bool:
    return ranks_of(None)[file] < USER


def install_log_handler() -> None:
    """Lets `logging` reach call logs, at every level; done once per process."""
    root = logging.getLogger()
    if any(isinstance(handler, CallLogHandler) for handler in root.handlers):
        return
    root.addHandler(CallLogHandler())
    if root.level == logging.WARNING:  # as Python sets it; another was chosen by somebody
        root.setLevel(logging.DEBUG)
