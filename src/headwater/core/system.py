"""System tables: what the runtime itself keeps, read by functions through `ctx.db.system`."""

from __future__ import annotations

from typing import Any, Final, Literal

from headwater.core.codecs import Codecs
from headwater.core.schema import Document, Id, Index, Model
from headwater.core.tables import Table, Tables


class ScheduledState(Model):
    """How far a scheduled call is; `error` says why it failed."""

    kind: Literal["pending", "inProgress", "success", "failed", "canceled"]
    error: str | None = None


class ScheduledFunction(Document, table="_scheduled_functions"):
    """A call that is to run, runs or ran by itself.

    Attributes:
        name: the function, such as `tasks.js:sendReminder`.
        args: its arguments under wire names, one object in a list.
        scheduled_time: when it is due, ms since 1970.
        completed_time: when it ended, ms since 1970.
    """

    name: str
    args: list[Any]
    scheduled_time: float
    completed_time: float | None = None
    state: ScheduledState
    by_state = Index("state.kind", "scheduled_time")
    by_completed = Index("completed_time")


class CronJob(Document, table="_crons"):
    """A cron of the backend and when it runs.

    Attributes:
        name: as `backend/crons.py` gives it.
        function: what it runs, such as `tasks.js:cleanUp`.
        args: its arguments under wire names, one object in a list.
        schedule: when, in words.
        next_run: when it is due next, ms since 1970.
        last_run: when it ran last.
        last_job: the scheduled call of its last run.
    """

    name: str
    function: str
    args: list[Any]
    schedule: str
    next_run: float
    last_run: float | None = None
    last_job: Id[ScheduledFunction] | None = None
    by_name = Index("name")
    by_next = Index("next_run")


class StoredFile(Document, table="_storage"):
    """A stored file; its bytes lie in the file store.

    Attributes:
        storage_id: the name in its URL, a UUID.
        sha256: base64 of its digest.
        size: bytes.
        content_type: as its uploader gave it.
    """

    storage_id: str
    sha256: str
    size: int
    content_type: str | None = None
    by_storage_id = Index("storage_id")


_CLASSES = (ScheduledFunction, CronJob, StoredFile)
SYSTEM_TABLES: Final = Tables(Table(cls, Codecs()) for cls in _CLASSES)
SYSTEM_SPECS: Final = {name: table.spec for name, table in SYSTEM_TABLES.by_name.items()}
SYSTEM_NAMES: Final = {name: table.cls for name, table in SYSTEM_TABLES.by_name.items()}
"""What `Id["_storage"]` names: the tables themselves, as the documentation of Convex has them."""
