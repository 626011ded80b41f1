"""Preflight: what another backend would meet in a database, found out without changing either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from headwater.core import jobs
from headwater.core.catalog import is_coming
from headwater.core.database import Database
from headwater.core.manifest import BY_CREATION_TIME, Manifest
from headwater.core.migration import Migration
from headwater.core.walk import Walk
from headwater.errors import SchemaMismatch


@dataclass(frozen=True)
class Found:
    """What a backend would meet.

    Attributes:
        checked: stored documents that were held against its schema.
        misfits: those that do not fit, by table, id and field; the first ones.
        more_misfits: how many others do not fit.
        indexes: indexes that have to be filled before it serves, `tasks.by_owner`.
        staged: those that are filled while it serves already.
        dropped: indexes it no longer has.
        gone: public functions that clients may call today and that it has not.
        orphans: functions that scheduled calls wait for and that it has not.
    """

    checked: int
    misfits: tuple[str, ...]
    more_misfits: int
    indexes: tuple[str, ...]
    staged: tuple[str, ...]
    dropped: tuple[str, ...]
    gone: tuple[str, ...]
    orphans: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


class Preflight:
    """Looks at a database, piece by piece, for a backend that may come to serve it.

    Args:
        database: what it would serve; nothing in it is changed.
        manifest: the backend.
    """

    def __init__(self, database: Database, manifest: Manifest) -> None:
        self._database, self._manifest = database, manifest
        self._migration = Migration(database, manifest)
        self._mismatch: SchemaMismatch | None = None
        self._jobs = Walk(database, jobs.TABLE)
        self._orphans: set[str] = set()

    @property
    def checked(self) -> int:
        """Documents looked at so far."""
        return self._migration.checked

    def step(self) -> bool:
        """Looks at some stored documents; False when all have been seen."""
        if not self._jobs.done:
            waiting = (job for job in self._jobs.next() if jobs.state_of(job) == "pending")
            paths = map(jobs.job_path, waiting)
            self._orphans.update(path for path in paths if path not in self._manifest.functions)
            return True
        try:
            return self._migration.check()
        except SchemaMismatch as mismatch:
            self._mismatch = mismatch
            return False

    def found(self) -> Found:
        """What was found; after the last step."""
        mismatch = self._mismatch
        return Found(
            checked=self.checked,
            misfits=tuple(mismatch.misfits) if mismatch else (),
            more_misfits=mismatch.more if mismatch else 0,
            indexes=tuple(self._migration.unfilled(staged=False)),
            staged=tuple(self._migration.unfilled(staged=True)),
            dropped=tuple(self._dropped()),
            gone=tuple(self._gone()),
            orphans=tuple(sorted(self._orphans)),
        )

    def _dropped(self) -> Iterator[str]:
        for name, table in self._manifest.tables.items():
            entry = self._database.catalog.tables.get(name)
            kept = {index.name for index in table.all_indexes}
            for index in entry.indexes if entry else ():
                if index not in kept and index != BY_CREATION_TIME.name and not is_coming(index):
                    yield f"{name}.{index}"

    def _gone(self) -> Iterator[str]:
        served = self._database.manifest.functions
        for path, function in served.items():
            if function.is_public and path not in self._manifest.functions:
                yield path
