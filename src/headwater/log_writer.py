"""The log writer: a thread that shows records as they come, so that a slow terminal or a full pipe
holds up nobody.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import orjson
from rich.console import Console
from rich.text import Text

from headwater.records import SERVER, Record, Records
from headwater.redaction import Redactor
from headwater.terminal import told

_BATCH: Final = 500
_GATHER_S: Final = 0.02  # after the first record: waking for each would cost more than writing it
_LAST_S: Final = 1.0  # at the end, for a reader that takes its time


class Output(Protocol):
    """Where records go."""

    def write(self, records: Sequence[Record], missed: int) -> None:
        """Writes records; `missed` more came and went before them."""


class LogWriter:
    """Writes records on a thread of its own until it is stopped.

    Args:
        records: what to follow.
        output: where to.
    """

    def __init__(self, records: Records, output: Output) -> None:
        self._records, self._output = records, output
        self._comes = records.waiter()
        self._stopping = threading.Event()
        self._cursor = records.newest
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Writes what is there and ends; gives up on a reader that takes nothing."""
        self._stopping.set()
        self._comes.set()
        self._thread.join(_LAST_S)

    def _run(self) -> None:
        while True:
            self._comes.wait()
            stopping = self._stopping.wait(_GATHER_S)
            self._comes.clear()
            self._write_all()
            if stopping:
                return

    def _write_all(self) -> None:
        while self._cursor < self._records.newest:
            reading = self._records.since(self._cursor, _BATCH)
            self.dropped += reading.missed
            with suppress(OSError):  # nobody reads any more
                self._output.write(reading.records, reading.missed)
            self._cursor = reading.cursor


class JsonLines:
    """One JSON object per line, for what collects the logs of a server in production.

    Args:
        descriptor: an open file.
        redact: takes secrets out.
    """

    def __init__(self, descriptor: int, redact: Redactor) -> None:
        self._descriptor, self._redact = descriptor, redact

    def write(self, records: Sequence[Record], missed: int) -> None:
        """Writes whole lines, however much the pipe takes at once."""
        rest = memoryview(json_lines(records, missed, self._redact))
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


def json_lines(records: Sequence[Record], missed: int, redact: Callable[[str], str]) -> bytes:
    """Records as lines of JSON; a line before them counts those that were missed."""
    entries: list[dict[str, Any]] = [record.to_json(redact) for record in records]
    if missed:
        first = {"level": "warning", "message": f"{missed} records were dropped", "dropped": missed}
        entries.insert(0, {"time": entries[0]["time"] if entries else None, **first})
    return b"".join(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE) for entry in entries)


class Terminal:
    """Readable lines for whoever develops.

    Args:
        console: the terminal.
        redact: takes secrets out.
        every: show calls that have nothing to say too.
    """

    def __init__(self, console: Console, redact: Redactor, *, every: bool) -> None:
        self._console, self._redact, self._every = console, redact, every

    def write(self, records: Sequence[Record], missed: int) -> None:
        """Prints what there is to see; the server's own messages are printed elsewhere."""
        if missed:
            self._console.print(Text(f"{missed} calls are not shown", "yellow"))
        for record in records:
            if record.kind != SERVER and (self._every or record.log_lines or record.failed):
                for line in told(record.to_json(self._redact), every=self._every):
                    self._console.print(line)
