"""Rehearsals: a call is run to its end, and nothing of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from headwater.core.calls import Call, Calls, Placement
from headwater.core.database import Database
from headwater.core.documents import Stored
from headwater.host_calls import HostCall
from headwater.observed import Observed, Observer, Seen


@dataclass(frozen=True)
class Rehearsal:
    """A call of which nothing was kept.

    Attributes:
        call: how it ended; its changes are those it would have committed.
        written: table and new version of each document it would have written, by id, those of
            system tables too; None for a deleted one.
    """

    call: HostCall
    written: dict[str, tuple[str, dict[str, Any] | None]]


def rehearsed(
    database: Database, placement: Placement, call: Call
) -> tuple[Rehearsal, Exception | None]:
    """A query or mutation, run in a place of its own on what a database holds.

    Gives how it went, and why its worker had to be ended, if it had to.
    """
    twin = _twin(database)
    observer, seen, began = Observer(lambda: twin), Seen(), perf_counter()
    placement.attach(twin)
    observer.expect(call, seen)
    observer.before_call(call)
    outcome = Calls(twin, Observed(placement, observer)).run(call)
    observer.on_call(call, outcome)
    seen.changes = observer.changes(outcome, seen)
    ended = HostCall.of(outcome, seen, perf_counter() - began)
    written = {
        document_id: (twin.catalog.table_of(document_id) or "", _value(new))
        for document_id, new in outcome.write_set.documents.items()
    }
    return Rehearsal(ended, written), observer.broken


def _twin(database: Database) -> Database:
    """The same data, with the numbers and times that a call uses up counted by itself."""
    catalog = database.catalog.copy()
    twin = Database(database.storage, database.clock, database.limits, catalog)
    twin.manifest, twin.files = database.manifest, database.files
    twin.outstanding = database.outstanding
    return twin


def _value(stored: Stored | None) -> dict[str, Any] | None:
    return None if stored is None else stored.own_value()
