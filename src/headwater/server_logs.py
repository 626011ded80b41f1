"""The logs of one server: its records, and everything that follows them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from headwater.environment import Environment
from headwater.log_drain import TOKEN, Drain, LogDrain
from headwater.log_writer import LogWriter, Output
from headwater.records import Records, ServerMessages
from headwater.redaction import Redactor
from headwater.settings import Limits

METRICS_TOKEN = "HEADWATER_METRICS_TOKEN"
"""The variable with a token that opens `/metrics` and nothing else."""

_SOURCES = ("headwater", "uvicorn")


class ServerLogs:
    """Follows the records of a server, once it is started.

    Args:
        records: what is followed.
        environment: knows the secrets of the backend's settings.
        own_secrets: further values that no log may show, such as the admin key.

    Attributes:
        redact: takes secrets out of a text.
        ending: the server is being stopped; nobody should wait for further records.
    """

    def __init__(
        self, records: Records, environment: Environment, own_secrets: frozenset[str]
    ) -> None:
        self.records = records
        self.ending = False
        given = {os.environ.get(name, "") for name in (TOKEN, METRICS_TOKEN)}
        own = own_secrets | frozenset(given - {""})
        self.redact = Redactor(lambda: own | environment.secrets)
        self._messages = ServerMessages(records)
        self._writer: LogWriter | None = None
        self._drain: LogDrain | None = None

    def start(
        self, make: Callable[[Redactor], Output], drain: Drain | None, limits: Limits
    ) -> None:
        """Begins to write and to send records, and to keep what the server itself has to say.

        Args:
            make: makes the output of the writer.
            drain: where records are sent, too.
            limits: of the drain.
        """
        for name in _SOURCES:
            logging.getLogger(name).addHandler(self._messages)
        self._writer = LogWriter(self.records, make(self.redact))
        if drain is not None:
            self._drain = LogDrain(self.records, drain, self.redact, limits)

    def stop(self) -> None:
        """Writes and sends what is left."""
        for name in _SOURCES:
            logging.getLogger(name).removeHandler(self._messages)
        for follower in (self._drain, self._writer):
            if follower is not None:
                follower.stop()

    def drops(self) -> dict[str, int]:
        """How many records each log has lost."""
        followers = {"output": self._writer, "drain": self._drain}
        return {name: one.dropped for name, one in followers.items() if one is not None}
