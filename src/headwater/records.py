"""What was run lately, one record for each call: the one place that logs are read from.

A bounded ring in memory. Who writes never waits: the oldest records make room, and each reader, who
keeps a cursor of its own, is told how many it has missed.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from headwater.core.failures import Failure
from headwater.core.transaction import Counters
from headwater.settings import Limits

SERVER: Final = "server"
"""The kind of a record that is no call: something the server itself has to say."""

_ENTRY_BYTES: Final = 400  # of one without lines, about

Entry = tuple[float, str, str, float, Counters | None, list[str], Failure | None, str, int]
"""As it is kept: time in ms, kind, function, ms taken, counters, log lines, failure, request id,
size. Made on the engine's thread for every call, so a plain tuple."""


@dataclass(frozen=True)
class Record:
    """One call that has ended, or one message of the server.

    Attributes:
        number: counts up from 0.
        time_ms: when it ended, in ms since 1970.
        kind: query, mutation, action, http, or `server`.
        function: its path; of a message of the server, the level.
        request_id: what clients were told a failure under.
    """

    number: int
    time_ms: float
    kind: str
    function: str
    took_ms: float
    counters: Counters
    log_lines: list[str]
    failure: Failure | None
    request_id: str

    @property
    def failed(self) -> bool:
        """True for a call that failed and for what the server has to complain of."""
        return self.failure is not None or (self.kind == SERVER and self.function != "info")

    def to_json(self, redact: Callable[[str], str]) -> dict[str, Any]:
        """The record as it is logged, its texts without secrets."""
        at = datetime.fromtimestamp(self.time_ms / 1000, UTC)
        time = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if self.kind == SERVER:
            return {"time": time, "level": self.function, "message": redact(self.log_lines[0])}
        counters = self.counters
        entry: dict[str, Any] = {
            "time": time,
            "level": "info" if self.failure is None else "error",
            "request_id": self.request_id,
            "function": self.function,
            "kind": self.kind,
            "duration_ms": round(self.took_ms, 3),
            "documents_read": counters.documents_read,
            "bytes_read": counters.bytes_read,
            "documents_written": counters.documents_written,
            "bytes_written": counters.bytes_written,
            "bytes_returned": counters.bytes_returned,
            "outcome": "success" if self.failure is None else "error",
        }
        if self.failure is not None:
            entry |= {"error_code": self.failure.tag, "error": redact(self.failure.message)}
            if self.failure.finding is not None:
                told = self.failure.finding.to_json().items()
                entry["finding"] = {k: redact(v) if isinstance(v, str) else v for k, v in told}
        if self.log_lines:
            entry["log_lines"] = [redact(line) for line in self.log_lines]
        return entry


@dataclass(frozen=True)
class Reading:
    """What a reader got.

    Attributes:
        cursor: where to go on.
        missed: records that were gone before it came.
    """

    records: list[Record]
    cursor: int
    missed: int


class Records:
    """The newest records.

    Attributes:
        newest: how many there have been.
        epoch: tells this server's life from the next, whose numbers begin anew.
    """

    def __init__(self, limits: Limits) -> None:
        self._most, self._most_bytes = limits.log_records, limits.log_bytes
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._waiters: tuple[threading.Event, ...] = ()
        self._key = secrets.token_bytes(16)
        self.epoch = self._key.hex()[:12]
        self.newest = 0

    def add(
        self,
        time_ms: float,
        kind: str,
        function: str,
        took_ms: float,
        counters: Counters | None,
        log_lines: list[str],
        failure: Failure | None,
        request_id: str,
    ) -> None:
        """Adds a record; from any thread, and without ever waiting for a reader."""
        size = _ENTRY_BYTES
        if log_lines:
            size += sum(map(len, log_lines))
        if failure is not None:
            size += len(failure.message)
        entry = (
            time_ms, kind, function, took_ms, counters, log_lines, failure, request_id, size,
        )  # fmt: skip
        with self._lock:
            self._entries.append(entry)
            self.newest += 1
            self._bytes += size
            while self._bytes > self._most_bytes or len(self._entries) > self._most:
                self._bytes -= self._entries.popleft()[-1]
        for waiter in self._waiters:
            if not waiter.is_set():
                waiter.set()

    def waiter(self) -> threading.Event:
        """An event that is set whenever a record comes."""
        event = threading.Event()
        self._waiters = (*self._waiters, event)
        return event

    def since(self, cursor: int, most: int) -> Reading:
        """The records after a cursor, oldest first, at most so many."""
        with self._lock:
            entries, oldest = self._entries, self.newest - len(self._entries)
            start = min(max(cursor, oldest), self.newest)
            end = min(start + most, self.newest)
            found = [entries[number - oldest] for number in range(start, end)]
        records = [self._record(start + index, entry) for index, entry in enumerate(found)]
        return Reading(records, end, max(0, start - cursor))

    def _record(self, number: int, entry: Entry) -> Record:
        time_ms, kind, function, took_ms, counters, log_lines, failure, request_id, _ = entry
        return Record(
            number,
            time_ms,
            kind,
            function,
            took_ms,
            counters or Counters(),
            log_lines,
            failure,
            request_id or self._request_id(number),
        )

    def _request_id(self, number: int) -> str:
        """Of a call that no client was told one for: made when it is read, the same each time."""
        digest = hashlib.blake2b(number.to_bytes(8, "big"), key=self._key, digest_size=8)
        return digest.hexdigest()


class ServerMessages(logging.Handler):
    """Brings what the server itself logs into the records."""

    def __init__(self, records: Records) -> None:
        super().__init__(logging.INFO)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        """Adds a message, with its traceback when it has one."""
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        text = self.format(record)
        self._records.add(record.created * 1000, SERVER, level, 0.0, None, [text], None, "")
