"""The log writer: shows records as they come, on a terminal or as lines of JSON."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import orjson
from rich.console import Console
from rich.text import Text

from headwater.follower import Follower
from headwater.records import SERVER, Reading, Record, Records
from headwater.redaction import Redactor
from headwater.terminal import told

_BATCH: Final = 500
_GATHER_S: Final = 0.02  # after the first record: waking for each would cost more than writing it
_LAST_S: Final = 1.0  # at the end, for a reader that takes its time


class Output(Protocol):
    """Where records go."""

    def write(self, records: Sequence[Record], missed: int) -> None:
        """Writes records; `missed` more came and went before them."""


class LogWriter(Follower):
    """Writes records on a thread of its own until it is stopped.

    Args:
        records: what to follow.
        output: where to.

    Attributes:
        dropped: records that came and went too fast.
    """

    def __init__(self, records: Records, output: Output) -> None:
        self._output = output
        self.dropped = 0
        super().__init__(records, "log writer", batch=_BATCH, gather_s=_GATHER_S, last_s=_LAST_S)

    def take(self, reading: Reading) -> bool:
        """Writes a batch."""
        self.dropped += reading.missed
        with suppress(OSError):  # nobody reads any more
            self._output.write(reading.records, reading.missed)
        return True


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
