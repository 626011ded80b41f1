"""Calls: one run of one function, from checked arguments to an encoded result or a failure."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from headwater.clock import Clock
from headwater.core import jobs, requests, values
from headwater.core.database import Database
from headwater.core.failures import Failure, failure_of
from headwater.core.logs import CallLog
from headwater.core.manifest import FunctionKind, FunctionSpec, Manifest, canonical_path
from headwater.core.overlay import WriteSet
from headwater.core.reads import ReadSet
from headwater.core.transaction import Counters, Transaction
from headwater.errors import (
    AppError,
    ArgumentValidationError,
    EndedTheServer,
    FunctionNotFound,
    HeadwaterError,
    LimitExceeded,
    Overloaded,
    QueryInvalid,
    ReturnValidationError,
    WrongFunctionKind,
    shortened,
)
from headwater.settings import Limits

AnswerOne = Callable[[Any], Any]
AfterHandler = Callable[[Transaction], Any]
_OF_SCHEDULER = (requests.Schedule, requests.Cancel)
CallKind = FunctionKind | Literal["http"]


NO_FUNCTION: Final = "(none)"
"""Stands for all paths that name no function: a client may make up any number of them."""


@dataclass(slots=True)
class Call:
    """What is to be run, and for whom.

    Attributes:
        path: the canonical wire path; of an HTTP route its method and path.
        arguments: a wire object.
        identity: the caller's, as plain data; None when nobody is signed in.
        internal: the caller may reach internal functions.
        journal: end cursors this query gave last time.
        at_ts: the timestamp a query is to read at; None for now.
        job: the scheduled call this is, or is a part of.
    """

    path: str
    kind: CallKind
    arguments: Any
    identity: dict[str, Any] | None = None
    internal: bool = False
    journal: list[str] | None = None
    job: str | None = None
    at_ts: int | None = None


@dataclass(slots=True)
class Frame:
    """A call on its way into a handler: what the place that runs it needs to know besides the
    path.
    """

    spec: FunctionSpec
    arguments: dict[str, Any]
    now_ms: float
    seed: int
    log: CallLog
    depth: int = 0

    @property
    def nested(self) -> bool:
        """True for a function that another one runs, inside its time limit."""
        return self.depth > 0


class Placement(Protocol):
    """Where handlers run: in this process, in a worker, in a jail. It only asks and is answered."""

    @property
    def manifest(self) -> Manifest:
        """The loaded backend as plain data."""

    @property
    def root(self) -> Path | None:
        """The project's folder, for traces; None when its files are not here."""

    def run(self, frame: Frame, answer: AnswerOne) -> Any:
        """Runs a handler; gives its result as a value, or raises what it raised."""

    def attach(self, database: Database) -> None:
        """Tells it which database it runs on."""


@dataclass(slots=True)
class Outcome:
    """How a call ended.

    Attributes:
        value: the encoded result, None when it failed.
        failure: why it failed.
        request_id: what a failure is told under; empty for a success.
        write_set: what a mutation changed; empty for a failed one.
        queue_changed: it changed what is scheduled.
        took_s: how long it took, where who runs it knows.
    """

    value: bytes | None = None
    failure: Failure | None = None
    log_lines: list[str] = field(default_factory=list)
    reads: ReadSet = field(default_factory=ReadSet)
    identity_read: bool = False
    journal: list[str] = field(default_factory=list)
    write_set: WriteSet = field(default_factory=WriteSet)
    counters: Counters = field(default_factory=Counters)
    entered: bool = False
    queue_changed: bool = False
    request_id: str = ""
    took_s: float | None = None

    def fail(self, failure: Failure, clock: Clock) -> None:
        """Ends it with a failure, which gets a request id of its own."""
        self.value, self.failure = None, failure
        self.request_id = clock.random_bytes(8).hex()


class Calls:
    """Runs calls against a database, wherever the handlers are."""

    def __init__(self, database: Database, placement: Placement) -> None:
        self._database = database
        self._placement = placement
        self._refused: tuple[str, str | None, int] | None = None

    def replace(self, placement: Placement) -> None:
        """Takes handlers from another place from now on: a reloaded backend."""
        self._placement = placement
        self._refused = None

    def refuse(self, path: str, job: str | None = None) -> None:
        """Refuses a function that ended the last process, for a while or until a reload.

        Args:
            path: the function.
            job: the scheduled call it ran for: this one fails, others of the function are put off.
        """
        limit_ns = int(self._database.limits.refused_after_fault_s * 1e9)
        self._refused = (path, job, self._database.clock.now_ns() + limit_ns)

    @property
    def placement(self) -> Placement:
        """Where handlers run now."""
        return self._placement

    @property
    def root(self) -> Path | None:
        """The project's folder, for traces."""
        return self._placement.root

    def spec(self, call: Call) -> FunctionSpec:
        """The function a call names.

        Raises:
            FunctionNotFound: there is none, or it is internal and the caller a client.
            WrongFunctionKind: it is a query called as a mutation, or the like.
            EndedTheServer: it ended the process a moment ago.
        """
        if self._refused is not None:
            self._check_refused(call, *self._refused)
        functions = self._placement.manifest.functions
        spec = functions.get(call.path) or functions.get(canonical_path(call.path))
        if spec is None or not (spec.is_public or call.internal):
            raise FunctionNotFound(call.path, _hint(call.path, self._placement.manifest))
        if spec.kind != call.kind:
            raise WrongFunctionKind(call.path, spec.kind, call.kind)
        return spec

    def _check_refused(self, call: Call, path: str, job: str | None, until_ns: int) -> None:
        if self._database.clock.now_ns() >= until_ns:
            self._refused = None
        elif call.path == path:
            if call.job is not None and call.job != job:
                raise Overloaded
            raise EndedTheServer(path, self._database.limits.refused_after_fault_s)

    def checked(
        self, spec: FunctionSpec, arguments: Any, limit: int | None = None
    ) -> dict[str, Any]:
        """The arguments, if they fit.

        Args:
            spec: the function.
            arguments: a wire object.
            limit: bytes they may have, where that is less than usual.

        Raises:
            ArgumentValidationError: they do not; names the path inside them.
            LimitExceeded: they are too large.
        """
        limit = limit or self._database.limits.arguments_bytes
        bytes_ = values.size(arguments)
        if bytes_ > limit:
            raise LimitExceeded(
                f"the arguments of {spec.path} have {bytes_} bytes, the limit is {limit}; "
                "send less at once"
            )
        misfit = spec.arguments.check(arguments, self._database.catalog.table_of)
        if misfit is not None:
            raise ArgumentValidationError(str(misfit))
        checked: dict[str, Any] = arguments
        return checked

    def run(self, call: Call, after: AfterHandler | None = None) -> Outcome:
        """Runs a query or a mutation in a transaction of its own; never raises what a handler
        raised.

        Args:
            call: what to run.
            after: a step of the runtime, in the same transaction, once the handler has ended well.
        """
        database = self._database
        now_ms = database.clock.now_ms()
        transaction = Transaction(
            database,
            identity=call.identity,
            now_ms=now_ms,
            writable=call.kind == "mutation",
            journal=call.journal,
            job=call.job,
        )
        log = CallLog(database.limits)
        outcome = Outcome(counters=transaction.counters)
        try:
            spec = self.spec(call)
            if call.at_ts is not None:
                database.snapshots.look_back(transaction.overlay, call.at_ts)
            frame = Frame(
                spec, self.checked(spec, call.arguments), now_ms, database.clock.seed(), log
            )
            outcome.entered = True
            outcome.value = self._result(frame, transaction)
            if after is not None:
                after(transaction)
            if transaction.writable:
                database.clock.fault("mutation")
            outcome.write_set = transaction.overlay.write_set()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit() in a handler must not end the server
            failure = failure_of(error, self._placement.root, call.path, call.kind)
            outcome.fail(failure, database.clock)
        transaction.finish()
        read, written = transaction.counters.documents_read, transaction.counters.documents_written
        bytes_ = transaction.counters.bytes_read, transaction.counters.bytes_written
        near = database.limits.near
        if read > near[0] or bytes_[0] > near[1] or written > near[2] or bytes_[1] > near[3]:
            _warn(log, (read, bytes_[0], written, bytes_[1]), database.limits)
        outcome.log_lines, outcome.reads = log.lines, transaction.reads
        outcome.identity_read, outcome.journal = transaction.identity_read, transaction.journal
        outcome.queue_changed = transaction.queue_changed
        return outcome

    def _result(self, frame: Frame, transaction: Transaction) -> bytes:
        value = self._placement.run(frame, self.answerer(frame, transaction))
        return self.encoded(frame.spec, value)

    def answerer(self, frame: Frame, transaction: Transaction) -> AnswerOne:
        """What answers a handler's requests."""

        def answer(request: Any) -> Any:
            if type(request) is requests.RunFunction:
                return self._nested(request, frame, transaction)
            if type(request) in _OF_SCHEDULER:
                return self.schedule(request, transaction)
            return transaction.answer(request)

        return answer

    def schedule(
        self, request: requests.Schedule | requests.Cancel, transaction: Transaction
    ) -> str | None:
        """Schedules a call, and gives the id of its job, or cancels one.

        Raises:
            FunctionNotFound, WrongFunctionKind: it is no mutation or action of this backend.
            ArgumentValidationError: its arguments do not fit.
            LimitExceeded: too many calls by one, too many in all, or one too large.
        """
        if not transaction.writable:
            raise QueryInvalid("a query only reads; schedule in a mutation or an action")
        limits = self._database.limits
        if isinstance(request, requests.Cancel):
            jobs.cancel(transaction, request.id, transaction.now_ms)
            return None
        spec = self._placement.manifest.functions.get(canonical_path(request.path))
        if spec is None:
            raise FunctionNotFound(request.path, _hint(request.path, self._placement.manifest))
        if spec.kind == "query":
            raise WrongFunctionKind(spec.path, spec.kind, "scheduled call")
        most = limits.scheduled_arguments_bytes
        arguments = self.checked(spec, request.arguments, most)
        if self._database.outstanding + transaction.scheduled >= limits.scheduled_outstanding:
            raise LimitExceeded(
                f"{limits.scheduled_outstanding} scheduled calls wait or run, as many as there may "
                "be. Let some run or cancel them, and let one call do a batch"
            )
        return jobs.schedule(
            transaction, spec.path, arguments, request.at_ms, limits.scheduled_per_call
        )

    def encoded(self, spec: FunctionSpec, value: Any) -> bytes:
        """A handler's result, checked against its return type and encoded.

        Raises:
            ReturnValidationError: it does not fit.
            LimitExceeded: it is too large to send.
        """
        misfit = spec.returns.check(value, self._database.catalog.table_of)
        if misfit is not None:
            raise ReturnValidationError(f"{spec.path} returned what it does not declare: {misfit}")
        encoded = values.encode(value)
        limit = self._database.limits.result_bytes
        if len(encoded) > limit:
            raise LimitExceeded(
                f"{spec.path} returned {len(encoded)} bytes, the limit is {limit}; "
                "return less: .take(n) or .paginate()"
            ).by_rule("HW402", "end the query with .take(100) or .paginate(options)")
        return encoded

    def _nested(self, request: requests.RunFunction, outer: Frame, transaction: Transaction) -> Any:
        """A function run by another, in its transaction; when it fails, its writes are undone."""
        call = Call(request.path, request.kind, request.arguments, internal=True)
        spec = self.spec(call)
        check_depth(spec.path, outer.depth, self._database.limits)
        if spec.kind == "action" or (spec.kind == "mutation" and outer.spec.kind == "query"):
            raise WrongFunctionKind(spec.path, spec.kind, f"part of a {outer.spec.kind}")
        arguments = self.checked(spec, request.arguments)
        frame = Frame(spec, arguments, outer.now_ms, outer.seed, outer.log, outer.depth + 1)
        mark = transaction.mark()
        try:
            return values.decode(self._result(frame, transaction))
        except Exception as error:
            transaction.restore(mark)
            if isinstance(error, AppError | HeadwaterError):
                raise
            raise HeadwaterError(str(error) or type(error).__name__) from error


def check_depth(path: str, depth: int, limits: Limits) -> None:
    """Refuses one more function inside functions that run one another.

    Raises:
        LimitExceeded: there are as many as may be; most likely one of them runs itself.
    """
    if depth >= limits.nested_calls:
        raise LimitExceeded(
            f"{path} would be run inside {depth} functions that run one another, the limit is "
            f"{limits.nested_calls}. Does one of them run itself? Use a plain Python function, or "
            "a loop"
        )


def _warn(log: CallLog, done: tuple[int, ...], limits: Limits) -> None:
    """Logs each limit a call came near to, as Convex does."""
    names = ("documents_read", "bytes_read", "documents_written", "bytes_written")
    for name, count, near in zip(names, done, limits.near, strict=True):
        if count > near:
            what, verb = name.split("_")
            log.add(
                "WARN",
                repr(
                    f"Many {what} {verb} in a single function execution (actual: {count}, limit: "
                    f"{getattr(limits, name)}). Consider a narrower index range, or fewer at once."
                ),
            )


def _hint(path: str, manifest: Manifest) -> str:
    if shortened(path) != path:
        return ""  # it resembles nothing, and to find that out takes long
    public = [spec.path for spec in manifest.functions.values() if spec.is_public]
    close = difflib.get_close_matches(canonical_path(path), public, n=1)
    return f"Did you mean '{close[0]}'?" if close else ""
