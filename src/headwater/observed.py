"""Looks on while calls run: what each asked for, what it changed, and what it was refused.

A host's placement wraps the one that runs the handlers, so whatever handlers do is noted on this
side; what they say of themselves is not asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Literal

from headwater.core import requests
from headwater.core.calls import AnswerOne, Call, Frame, Outcome, Placement
from headwater.core.database import Database
from headwater.core.manifest import FunctionSpec, Manifest
from headwater.errors import HeadwaterError
from headwater.pipe import WorkerFailed

ChangeKind = Literal["insert", "patch", "replace", "delete"]
_WRITES: Final = (requests.Insert, requests.Patch, requests.Replace, requests.Delete)
_REFUSED: Final = "the host refused this write"


@dataclass(frozen=True)
class Change:
    """One document a commit changed.

    Attributes:
        document: its new version with its system fields; None when it was deleted.
    """

    kind: ChangeKind
    table: str
    id: str
    document: dict[str, Any] | None


@dataclass(frozen=True)
class Committed:
    """What one call committed.

    Attributes:
        path: the function.
        at_ms: the call's time.
        changes: in the order in which the documents were first written; none of system tables.
    """

    path: str
    at_ms: float
    changes: tuple[Change, ...]


@dataclass
class Seen:
    """What one call did; an action's is that of all it ran.

    Attributes:
        seconds: how long its queries and mutations ran, by the wall clock.
    """

    requests: list[Any] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    documents_read: int = 0
    documents_written: int = 0
    seconds: float = 0.0


class Observer:
    """Notes what calls do.

    Attributes:
        commits: what was committed, in order.
        entered: how often each function's handler was asked for, by path.
        refused: the write of each call that is refused, from 1; None for none of them.
        broken: why a worker had to be ended, or what a watcher raised, since somebody last looked.
        watchers: called after every commit.
    """

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database
        self._known: dict[int, Seen] = {}
        self._now = Seen()
        self._began = 0.0
        self._written = 0
        self._watching = False
        self._pending: list[tuple[Seen, Committed]] = []
        self.commits: list[Committed] = []
        self.entered: dict[str, int] = {}
        self.refused: int | None = None
        self.broken: Exception | None = None
        self.watchers: list[Callable[[], None]] = []

    def expect(self, call: Call, seen: Seen) -> None:
        """What this call does is to be noted there."""
        self._known[id(call)] = seen

    # the engine's hooks

    def before_call(self, call: Call) -> None:
        """A call begins."""
        self._now, self._began = self._known.get(id(call)) or Seen(), perf_counter()

    def on_call(self, call: Call, outcome: Outcome) -> None:
        """A call has ended, and is not committed yet."""
        seen = self._now
        seen.seconds += perf_counter() - self._began
        seen.documents_read += outcome.counters.documents_read
        seen.documents_written += outcome.counters.documents_written
        changes = tuple(self.changes(outcome, seen))
        if changes and outcome.failure is None:
            at_ms = self._database().clock.now_ms()
            self._pending.append((seen, Committed(call.path, at_ms, changes)))

    def on_commit(self, _keys: set[bytes] | None) -> None:
        """What ended is durable."""
        pending, self._pending = self._pending, []
        for seen, committed in pending:
            seen.changes += committed.changes
            self.commits.append(committed)
        if pending and not self._watching:
            self._watching = True  # who looks may write, and is not told of that
            try:
                for watch in list(self.watchers):
                    watch()
            except Exception as error:  # not the business of the call in whose midst this is
                self.broken = self.broken or error
            finally:
                self._watching = False

    def forget(self, call: Call) -> None:
        """A call is over, and whatever of it was not committed never will be."""
        self._known.pop(id(call), None)
        self._pending.clear()

    def changes(self, outcome: Outcome, seen: Seen) -> list[Change]:
        """What a call that ended is about to commit."""
        replaced = {each.id for each in seen.requests if isinstance(each, requests.Replace)}
        found = []
        for document_id, new in outcome.write_set.documents.items():
            old = self._database().peek(document_id)
            table = (new or old).table or ""  # type: ignore[union-attr]
            if table.startswith("_"):
                continue
            kind: ChangeKind = "replace" if document_id in replaced else "patch"
            kind = "insert" if old is None else "delete" if new is None else kind
            document = None if new is None else new.own_value()
            found.append(Change(kind, table, document_id, document))
        return found

    # handlers

    def enter(self, spec: FunctionSpec, depth: int = 0) -> None:
        """A handler is asked for."""
        self.entered[spec.path] = self.entered.get(spec.path, 0) + 1
        if depth == 0:
            self._written = 0

    def answerer(self, answer: AnswerOne) -> AnswerOne:
        """Answers requests as before, once they are noted."""
        seen = self._now

        def answered(request: Any) -> Any:
            seen.requests.append(request)
            if isinstance(request, _WRITES):
                self._written += 1
                if self._written == self.refused:
                    raise HeadwaterError(_REFUSED)
            return answer(request)

        return answered


class Observed:
    """A placement that is looked on at; whatever else it can do it still can."""

    def __init__(self, placement: Placement, observer: Observer) -> None:
        self._placement: Any = placement
        self._observer = observer

    @property
    def manifest(self) -> Manifest:
        """The loaded backend as plain data."""
        manifest: Manifest = self._placement.manifest
        return manifest

    @property
    def root(self) -> Path | None:
        """The project's folder, for traces."""
        root: Path | None = self._placement.root
        return root

    def attach(self, database: Database) -> None:
        """Tells it which database it runs on."""
        self._placement.attach(database)

    def run(self, frame: Frame, answer: AnswerOne) -> Any:
        """Runs a handler; gives its result as a value, or raises what it raised."""
        self._observer.enter(frame.spec, frame.depth)
        try:
            return self._placement.run(frame, self._observer.answerer(answer))
        except WorkerFailed as error:
            self._observer.broken = error
            raise

    async def run_action(self, spec: FunctionSpec, *about: Any) -> Any:
        """Awaits an action and gives its result as a value."""
        self._observer.enter(spec)
        try:
            return await self._placement.run_action(spec, *about)
        except WorkerFailed as error:
            self._observer.broken = error
            raise

    @property
    def site(self) -> Any:
        """The application of its HTTP routes, looked on at; None when it has none."""
        site = self._placement.site
        if site is None:
            return None

        async def looked_on(scope: Any, receive: Any, send: Any) -> None:
            try:
                await site(scope, receive, send)
            except WorkerFailed as error:
                self._observer.broken = error
                raise

        return looked_on

    def __getattr__(self, name: str) -> Any:
        return getattr(self._placement, name)
