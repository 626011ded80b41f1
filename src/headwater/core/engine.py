"""The engine: takes all that waits as one batch, commits once, re-runs what the commit invalidated.

The only writer. In a server it owns the main thread; in a test it runs inside the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import orjson

from headwater.core import protocol
from headwater.core.background import Background
from headwater.core.batch import EngineBatch
from headwater.core.calls import NO_FUNCTION, AfterHandler, Call, Calls, Outcome, Placement
from headwater.core.changeover import Changeover, Progress
from headwater.core.commits import CommitLog
from headwater.core.counters import EngineCounters
from headwater.core.database import Database
from headwater.core.failures import WHOLE, Failure, failure_of
from headwater.core.migration import adopt_at_start
from headwater.core.protocol import (
    Connect,
    ModifyQuerySet,
    MutationRequest,
    TooLarge,
)
from headwater.core.replies import acknowledged, fingerprint, message_too_large, recalled
from headwater.core.reruns import Reruns
from headwater.core.session import Close, Session
from headwater.core.storage import SessionRequest
from headwater.core.subscriptions import Subscriptions
from headwater.core.transaction import Transaction
from headwater.core.work import (
    Answer,
    Authenticated,
    Drained,
    Execute,
    FromClient,
    Left,
    Output,
    Overhaul,
    Pin,
    Reload,
    RunDue,
    Transact,
    Work,
)
from headwater.errors import HeadwaterError, ProtocolError, StorageFailure

_BUSY = {
    "Conflict": Close(1013, "OptimisticConcurrencyControlFailure"),
    "Overloaded": Close(1013, "CommitterFullError"),
    "SnapshotGone": Close(1013, "CommitterFullError"),  # raised by a mutation, who knows why
}


class Engine:
    """Runs calls, keeps subscriptions, moves sessions from version to version.

    Attributes:
        counters: what it did so far.
        before_call: told of each call before it runs, to tell a hang from a long batch.
        on_call: told of every finished call, for logs.
        on_commit: told of the keys of every commit; of None when any of them may have changed.
        disclosure: how much of failures clients are told.
        background: what runs by itself.
    """

    def __init__(
        self,
        database: Database,
        placement: Placement,
        tell: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._database = database
        self._commits = CommitLog(database)
        self._calls = Calls(database, placement)
        self._subscriptions = Subscriptions()
        self.counters = EngineCounters()
        self._reruns = Reruns(self._subscriptions, self._run, self.counters)
        self.on_call: Callable[[Call, Outcome], None] = lambda _call, _outcome: None
        self.on_commit: Callable[[set[bytes] | None], None] = lambda _keys: None
        self.before_call: Callable[[Call], None] = lambda _call: None
        self.disclosure = WHOLE
        self.background = Background(database, self._mutate, self._transact)
        adopt_at_start(database, placement.manifest, tell)
        self.background.queue.count()
        self._changeover = Changeover(database)
        placement.attach(database)

    def resume(self) -> None:
        """Takes up what was scheduled before this engine was made; once, before any batch.

        Raises:
            StorageFailure: the disk refused.
        """
        batch = EngineBatch()
        self.background.resume(batch)
        self._commit(batch)
        if batch.lost is not None:
            raise StorageFailure(batch.lost.message)

    @property
    def last_ts(self) -> int:
        """The newest durable timestamp."""
        return self._commits.last_ts

    @property
    def database(self) -> Database:
        """The database it writes."""
        return self._database

    @property
    def subscriptions(self) -> Subscriptions:
        """The queries kept alive."""
        return self._subscriptions

    @property
    def calls(self) -> Calls:
        """What runs a call; actions borrow its checks."""
        return self._calls

    def process(self, works: Iterable[Work]) -> list[Output]:
        """Takes a batch through: every work in turn, one commit, the re-runs, one output list."""
        batch = EngineBatch()
        self.counters.batches += 1
        for work in works:
            self.counters.works += 1
            self._take(work, batch)
        self._commit(batch)
        self._rerun(batch)
        for query in batch.queries:
            self._answer_query(query, batch)
        return batch.outputs(self.last_ts, self.counters)

    # taking work

    def _take(self, work: Work, batch: EngineBatch) -> None:
        if isinstance(work, Execute):
            self._take_execute(work, batch)
        elif isinstance(work, Pin):
            batch.queries.append(work)
        elif isinstance(work, Transact):
            self._take_step(work, batch)
        elif isinstance(work, RunDue):
            self.background.run_next(batch)
        elif isinstance(work, Reload):
            self._reload(work, batch)
        elif isinstance(work, Overhaul):
            self._overhaul(work, batch)
        elif isinstance(work, Left):
            work.session.leave(self._subscriptions)
        else:
            self._take_guarded(work, batch)

    def _take_guarded(self, work: FromClient | Authenticated | Drained, batch: EngineBatch) -> None:
        if not isinstance(work, Drained):
            work.session.taken += 1
        if not work.session.closed:
            try:
                self._take_client(work, batch)
            except ProtocolError as error:
                text = protocol.fatal_error(error.message)
                batch.texts.setdefault(work.session, []).append(text)
                self._close(work.session, Close(), batch)

    def _take_client(self, work: FromClient | Authenticated | Drained, batch: EngineBatch) -> None:
        session = work.session
        batch.sessions[session] = None
        if isinstance(work, Drained):
            return
        if isinstance(work, Authenticated):
            self._authenticate(work, batch)
            return
        message = work.message
        if isinstance(message, Connect):
            session.connect(message, self.last_ts)
            return
        session.check_connected()
        if isinstance(message, ModifyQuerySet):
            session.modify(message, self._subscriptions)
        elif isinstance(message, TooLarge):
            self._refuse(session, message, batch)
        else:
            self._take_mutation(session, message, batch)

    def _refuse(self, session: Session, message: TooLarge, batch: EngineBatch) -> None:
        limit = int(self._database.limits.message_bytes)
        outcome = Outcome(failure=failure_of(message_too_large(message.bytes, limit)))
        call, number = Call(NO_FUNCTION, "mutation", {}), message.request_id
        batch.acks.append(lambda _lost: self._reply(session, call, number, outcome, self.last_ts))

    def _authenticate(self, work: Authenticated, batch: EngineBatch) -> None:
        work.session.check_connected()
        if work.error is None:
            base, who = work.base_version, work.identity
            work.session.authenticate(base, who, self._subscriptions, admin=work.admin)
            return
        base = work.session.version.identity
        text = protocol.auth_error(work.error, base, attempted=work.attempted)
        batch.texts.setdefault(work.session, []).append(text)
        self._close(work.session, Close(), batch)

    def _close(self, session: Session, close: Close, batch: EngineBatch) -> None:
        session.leave(self._subscriptions)
        batch.closing[session] = close

    def _take_execute(self, work: Execute, batch: EngineBatch) -> None:
        if work.call.kind == "query":
            batch.queries.append(work)
            return
        outcome = self._mutate(work.call, batch)
        batch.acks.append(partial(self._executed, work, outcome))

    def _executed(self, work: Execute, outcome: Outcome, lost: Failure | None) -> Output:
        return Answer(partial(work.reply, self._ended(work.call, outcome, lost), self.last_ts))

    def _take_step(self, work: Transact, batch: EngineBatch) -> None:
        value, error = None, None
        try:
            value = self._transact(work.step, batch)
        except Exception as raised:
            error = raised

        def stepped(lost: Failure | None) -> Output:
            why = error if error is not None or lost is None else StorageFailure(lost.message)
            return Answer(partial(work.reply, None if why else value, why))

        batch.acks.append(stepped)

    def _transact(self, step: Callable[[Transaction], Any], batch: EngineBatch) -> Any:
        """Runs a step of the runtime itself in a transaction of its own."""
        now_ms = self._database.clock.now_ms()
        transaction = Transaction(self._database, now_ms=now_ms, writable=True)
        value = step(transaction)
        transaction.finish()
        write_set = transaction.overlay.write_set()
        if batch.lost is None and write_set.keys:
            if transaction.queue_changed:
                self.background.queue.changed(write_set)
            self._guarded(batch, partial(self._commits.apply, write_set))
        return value

    # mutations

    def _take_mutation(
        self, session: Session, message: MutationRequest, batch: EngineBatch
    ) -> None:
        call = Call(
            message.path, "mutation", message.arguments, session.identity, internal=session.admin
        )
        session_id, number = session.id or "", message.request_id
        mark = fingerprint(call)
        known = self._database.storage.session_request(session_id, message.request_id)
        if known is not None:
            batch.acks.append(
                lambda lost: self._reply(
                    session, call, number, recalled(known, mark, lost, self.last_ts), known.ts
                )
            )
            return
        outcome = self._mutate(call, batch)
        if outcome.failure is not None and outcome.failure.overloaded:
            self._close(session, _BUSY[outcome.failure.overloaded], batch)
            return
        if outcome.failure is None:
            self._remember(session_id, message.request_id, mark, outcome, batch)
        batch.acks.append(
            lambda lost: self._reply(
                session, call, number, self._ended(call, outcome, lost), self.last_ts
            )
        )

    def _reply(
        self, session: Session, call: Call, number: int, outcome: Outcome, ts: int
    ) -> Output:
        ended = self._ended(call, outcome, None)
        return acknowledged(session, number, ended, ts, self.disclosure)

    def _ended(self, call: Call, outcome: Outcome, lost: Failure | None) -> Outcome:
        """The outcome, failed if its batch was lost; every failure has its request id."""
        failure = outcome.failure or lost
        if failure is not None and not outcome.request_id:
            outcome.fail(failure, self._database.clock)
            outcome.took_s = 0.0
            self.on_call(call, outcome)  # when it ran it had not failed yet
        return outcome

    def _mutate(self, call: Call, batch: EngineBatch, after: AfterHandler | None = None) -> Outcome:
        if batch.lost is not None:
            return Outcome(failure=batch.lost)
        self.counters.mutations += 1
        outcome = self._run(call, after)
        for _ in range(self._database.limits.mutation_retries):
            if outcome.failure is None or not outcome.failure.overloaded:
                break
            outcome = self._run(call, after)
        if outcome.queue_changed:
            self.background.queue.changed(outcome.write_set)
        if outcome.failure is None and outcome.write_set.keys:
            self._guarded(batch, partial(self._commits.apply, outcome.write_set))
        return outcome

    def _run(self, call: Call, after: AfterHandler | None = None) -> Outcome:
        self.before_call(call)
        outcome = self._calls.run(call, after)
        self.on_call(call, outcome)
        return outcome

    def _remember(
        self, session_id: str, request_id: int, mark: bytes, outcome: Outcome, batch: EngineBatch
    ) -> None:
        if batch.lost is not None:
            return
        lines = orjson.dumps(outcome.log_lines)
        ts = self._commits.begin().ts
        note = SessionRequest(session_id, request_id, mark, ts, outcome.value or b"null", lines)
        self._guarded(batch, partial(self._commits.note_requests, [note]))

    def _guarded(self, batch: EngineBatch, write: Callable[[], None]) -> None:
        try:
            write()
        except StorageFailure as error:
            self._commits.abort()
            batch.lost = failure_of(error)
            self.background.queue.lost()

    def _commit(self, batch: EngineBatch) -> None:
        if self._commits.open is None:
            return
        try:
            commit = self._commits.commit()
        except (StorageFailure, HeadwaterError) as error:
            batch.lost = failure_of(error)
            self.background.queue.lost()
            return
        self.background.queue.kept()
        self.counters.commits += 1
        self.on_commit(commit.keys)
        batch.dirty.update(dict.fromkeys(self._subscriptions.invalidated(commit.keys)))

    # queries

    def _rerun(self, batch: EngineBatch) -> None:
        self._reruns.run(batch, self.disclosure)

    def _answer_query(self, work: Execute | Pin, batch: EngineBatch) -> None:
        if isinstance(work, Pin):
            batch.answers.append(Answer(partial(work.reply, self._database.snapshots.pin())))
            return
        outcome = self._run(work.call)
        self.counters.query_runs += 1
        batch.answers.append(Answer(partial(work.reply, outcome, self.last_ts)))

    # reload and upkeep

    def _reload(self, work: Reload, batch: EngineBatch) -> None:
        """Swaps the backend between batches, or leaves the old one in place: for good, or until
        the indexes of the new one are filled.
        """
        self._commit(batch)  # what came before belongs to the old backend
        try:
            made = self._changeover.propose(work.load(), work.reply)
        except Exception as error:
            batch.answers.append(Answer(partial(work.reply, error)))
            return
        for progress in made:
            self._take_progress(progress, batch)
            if progress.wait:
                batch.answers.append(Answer(partial(work.waits, progress.wait)))

    def _overhaul(self, work: Overhaul, batch: EngineBatch) -> None:
        """Lets the runtime work on the database itself, between what came before and after it."""
        self._commit(batch)
        try:
            value = self._changed(work) if work.writes else work.step(self._database)
        except Exception as error:
            batch.answers.append(Answer(partial(work.reply, None, error)))
            return
        batch.answers.append(Answer(partial(work.reply, value, None)))
        if work.writes:
            batch.dirty.update(dict.fromkeys(self._subscriptions.all()))
            self.on_commit(None)

    def _changed(self, work: Overhaul) -> Any:
        before = self._database.catalog.copy()
        try:
            self._commits.begin()
            value = work.step(self._database)
            self._commits.commit()
        except BaseException:
            self._database.catalog.become(before)
            self._commits.abort()
            raise
        self._database.reset()
        self._database.snapshots.forget()  # nothing kept of what it replaced
        self.background.queue.count()
        self._changeover.start_over()
        return value

    @property
    def busy(self) -> bool:
        """True when there is work to do beside the calls: `tend` does a piece of it."""
        return self._changeover.busy

    @property
    def waits_for(self) -> str:
        """What the backend loaded last waits for before it serves; empty when it does."""
        return self._changeover.progress

    def tend(self) -> list[Output]:
        """Does one bounded piece of what goes on beside the calls; between batches."""
        batch = EngineBatch()
        self._take_progress(self._changeover.step(), batch)
        self._commit(batch)
        self._rerun(batch)
        return batch.outputs(self.last_ts, self.counters)

    def _take_progress(self, progress: Progress, batch: EngineBatch) -> None:
        if progress.serve is not None:
            progress.serve.attach(self._database)
            self._calls.replace(progress.serve)
            self._database.snapshots.forget()  # its indexes are other ones
            self.background.sync(batch)
        if progress.serve is not None or progress.refresh:
            batch.dirty.update(dict.fromkeys(self._subscriptions.all()))
        if progress.reply is not None:
            batch.answers.append(Answer(partial(progress.reply, progress.error)))
        self._commits.notice = self._changeover.notice if self._changeover.busy else None
