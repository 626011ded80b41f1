"""A follower: a thread that takes records as they come, so that whoever is slow holds up nobody."""

from __future__ import annotations

import threading

from headwater.records import Reading, Records


class Follower:
    """Follows records on a thread of its own, which runs when this is made, until it is stopped.

    Args:
        records: what to follow, from the newest on.
        name: of the thread.
        batch: how many are taken at once.
        gather_s: how long a batch is gathered after its first record.
        last_s: how long `stop` waits for what is left.
    """

    def __init__(
        self, records: Records, name: str, *, batch: int, gather_s: float, last_s: float
    ) -> None:
        self._records, self._batch = records, batch
        self._gather_s, self._last_s = gather_s, last_s
        self._comes = records.waiter()
        self._stopping = threading.Event()
        self._cursor = records.newest
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Takes what is there and ends; gives up on a reader that takes nothing."""
        self._stopping.set()
        self._comes.set()
        self._thread.join(self._last_s)

    def take(self, reading: Reading) -> bool:
        """Does with a batch what is to be done; False leaves the rest alone for now."""
        raise NotImplementedError

    def _run(self) -> None:
        stopping = False
        while not stopping:
            self._comes.wait()
            stopping = self._stopping.wait(self._gather_s)
            self._comes.clear()
            self._take_all()

    def _take_all(self) -> None:
        while self._cursor < self._records.newest:
            reading = self._records.since(self._cursor, self._batch)
            self._cursor = reading.cursor
            if not self.take(reading):
                return
