"""The log drain: sends every record to a collector elsewhere, in batches of JSON lines.

Bounded whatever the collector does: one batch is in hand, the rest stays in the ring of records,
and what that had to let go is counted and said in the next batch that is taken.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx

from headwater.follower import Follower
from headwater.log_writer import json_lines
from headwater.records import Reading, Records
from headwater.redaction import Redactor
from headwater.settings import Limits

URL, TOKEN, HEADER = (f"HEADWATER_LOG_DRAIN_{name}" for name in ("URL", "TOKEN", "HEADER"))
_FIRST_PAUSE_S: Final = 0.5
_GATHER_S: Final = 0.5  # after the first record of a batch
_LAST_S: Final = 3.0  # at the end, for what is left
_TRY_AGAIN: Final = (408, 425, 429)  # of the refusals; others mean this batch will never be taken
_log = logging.getLogger("headwater")


@dataclass(frozen=True)
class Drain:
    """Where records are sent.

    Attributes:
        url: http or https.
        headers: sent with every batch, such as Authorization.
        gather_s: how long a batch is gathered after its first record.
        pause_s: before the second try; each further pause is twice as long.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    gather_s: float = _GATHER_S
    pause_s: float = _FIRST_PAUSE_S

    @property
    def host(self) -> str:
        """What of the address may be shown: its path and query may hold a secret."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


def drain_from_environment(variables: Mapping[str, str] | None = None) -> Drain | None:
    """The drain that the environment names, None when it names none.

    Raises:
        ValueError: what it names is no address or no header; says which variable.
    """
    given = os.environ if variables is None else variables
    url = given.get(URL)
    if not url:
        return None
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError(f"{URL} must be an address such as https://logs.example.org/ingest")
    headers = {}
    if token := given.get(TOKEN):
        headers["Authorization"] = f"Bearer {token}"
    if header := given.get(HEADER):
        name, colon, value = header.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise ValueError(f"{HEADER} must be one header, such as `X-Api-Key: abc`")
        headers[name.strip()] = value.strip()
    return Drain(url, headers)


class LogDrain(Follower):
    """Sends records on a thread of its own until it is stopped.

    Attributes:
        sent: records that the collector has taken.
        dropped: records that it never will get.
    """

    def __init__(self, records: Records, drain: Drain, redact: Redactor, limits: Limits) -> None:
        self._drain, self._redact, self._limits = drain, redact, limits
        self._untold = 0
        self._troubled = False
        self.sent = self.dropped = 0
        super().__init__(
            records,
            "log drain",
            batch=limits.log_batch,
            gather_s=drain.gather_s,
            last_s=_LAST_S,
        )

    def _run(self) -> None:
        headers = {"Content-Type": "application/x-ndjson", **self._drain.headers}
        timeout = httpx.Timeout(self._limits.log_drain_timeout_s)
        with httpx.Client(headers=headers, timeout=timeout) as self._client:
            super()._run()

    def take(self, reading: Reading) -> bool:
        """Sends a batch; at the end, one that is not taken is the last."""
        self._lose(reading.missed)
        body = json_lines(reading.records, self._untold, self._redact)
        if self._sent(body):
            self.sent += len(reading.records)
            self._untold = 0
            return True
        self._lose(len(reading.records))
        return not self._stopping.is_set()

    def _lose(self, count: int) -> None:
        self.dropped += count
        self._untold += count

    def _sent(self, body: bytes) -> bool:
        """Sends a batch, again and again until it is taken or refused; at the end, once."""
        pause_s = self._drain.pause_s
        while True:
            trouble = self._trouble(body)
            if trouble is None:
                self._well()
                return True
            why, again = trouble
            self._complain(why, again)
            if not again or self._stopping.wait(pause_s):
                return False
            pause_s = min(pause_s * 2, self._limits.log_drain_pause_s)

    def _trouble(self, body: bytes) -> tuple[str, bool] | None:
        """Why the collector did not take a batch, and whether it may yet; None when it did."""
        if self._stopping.is_set():
            self._client.timeout = httpx.Timeout(_LAST_S / 2)
        try:
            answer = self._client.post(self._drain.url, content=body)
        except httpx.HTTPError as error:
            return type(error).__name__, True
        except httpx.InvalidURL:
            return "its address is none", False
        if answer.is_success:
            return None
        again = answer.status_code >= 500 or answer.status_code in _TRY_AGAIN
        return f"it answered {answer.status_code}", again

    def _complain(self, why: str, again: bool) -> None:
        """Once for each time of trouble; this goes into the records too."""
        if not self._troubled:
            then = "it is tried again" if again else "what it refuses is dropped"
            _log.warning("the log drain %s takes no records (%s); %s", self._drain.host, why, then)
        self._troubled = True

    def _well(self) -> None:
        if self._troubled:
            host, dropped = self._drain.host, self.dropped
            _log.warning("the log drain %s takes records again; %d were dropped", host, dropped)
        self._troubled = False
