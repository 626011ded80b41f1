"""From one backend to the next: at once where the stored documents allow it, otherwise while the
one before goes on serving.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from headwater.core.calls import Placement
from headwater.core.database import Database
from headwater.core.migration import Migration, adopt_with
from headwater.core.overlay import WriteSet
from headwater.core.upkeep import Upkeep, with_transaction
from headwater.errors import Superseded

_log = logging.getLogger("headwater")

Reply = Callable[[BaseException | None], None]


@dataclass
class _Waiting:
    """A backend that is loaded and waits for documents and indexes to be ready for it."""

    migration: Migration
    placement: Placement
    reply: Reply
    checking: bool = True


@dataclass(frozen=True)
class Progress:
    """What one piece of the work brought about.

    Attributes:
        serve: the backend to serve from now on.
        reply: to be told of `error`, None for a success.
        refresh: queries that failed before may succeed now.
        wait: what the proposed backend waits for before it serves.
    """

    serve: Placement | None = None
    reply: Reply | None = None
    error: BaseException | None = None
    refresh: bool = False
    wait: str = ""


class Changeover:
    """Upkeep of a served database, and the backend that waits for it.

    Attributes:
        busy: there is a piece of work to do when nothing else is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._upkeep = Upkeep(database)
        self._waiting: _Waiting | None = None
        self.busy = self._upkeep.needed

    def propose(self, placement: Placement, reply: Reply) -> list[Progress]:
        """Takes a backend that was just loaded; it serves at once, or later, or not at all.

        One that waited until now is told that it will not serve.

        Raises:
            SchemaMismatch: stored documents do not fit; found at once.
        """
        migration = Migration(self._database, placement.manifest)
        given_up = self._give_up()
        if migration.small:
            adopt_with(self._database, migration)
            self.busy = self._upkeep.needed
            return [*given_up, Progress(placement, reply)]
        with_transaction(self._database, migration.begin)
        if migration.ready:  # what is left to fill is staged
            return [*given_up, self._served(_Waiting(migration, placement, reply))]
        self._waiting = _Waiting(migration, placement, reply)
        self.busy = True
        return [*given_up, Progress(wait=migration.progress)]

    def step(self) -> Progress:
        """One piece of work, in a transaction of its own; called between batches."""
        try:
            return self._step()
        except Exception as error:
            # Refused documents, or a disk that refuses: nobody is served by trying for ever.
            self.busy = not self._upkeep.failed and self._upkeep.needed
            waiting, self._waiting = self._waiting, None
            if waiting is None:
                _log.error("indexes are not looked after until the next start: %s", error)
            return Progress(None, waiting.reply if waiting else None, error)

    def notice(self, write_set: WriteSet) -> None:
        """Is told what was written, for the checks that are going on."""
        if self._waiting is not None:
            self._waiting.migration.notice(write_set)

    def start_over(self) -> None:
        """Is told that documents came in by another way than a write set."""
        if self._waiting is not None:
            self._waiting.migration.start_over()
            self._waiting.checking = True
        self.busy = self._waiting is not None or self._upkeep.needed

    @property
    def progress(self) -> str:
        """What a waiting backend waits for, in words; empty when none does."""
        return self._waiting.migration.progress if self._waiting else ""

    def _step(self) -> Progress:
        waiting = self._waiting
        if waiting is not None and waiting.checking:
            waiting.checking = waiting.migration.check()
            return Progress()
        if waiting is not None and waiting.migration.ready:
            return self._served(waiting)
        return self._upkeep_piece()

    def _served(self, waiting: _Waiting) -> Progress:
        with_transaction(self._database, waiting.migration.finish)
        self._database.manifest = waiting.placement.manifest
        self._waiting = None
        self.busy = self._upkeep.needed
        return Progress(waiting.placement, waiting.reply)

    def _upkeep_piece(self) -> Progress:
        whole = self._upkeep.step()
        self.busy = self._waiting is not None or self._upkeep.needed
        return Progress(refresh=whole)

    def _give_up(self) -> list[Progress]:
        waiting, self._waiting = self._waiting, None
        return [] if waiting is None else [Progress(None, waiting.reply, Superseded())]
