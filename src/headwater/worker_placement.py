"""The host's side of a worker: handlers run in another process, which is believed in nothing.

The database, the clock, identities, argument and return validation and all counters stay here; the
worker is asked to run one query or mutation at a time, and actions beside them, and may only send
requests and an end for each. It is ended when it is silent for too long, prints too much, or says
what makes no sense, and started anew for the next call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from time import monotonic
from typing import Any, Final

from headwater import remote
from headwater.clock import VirtualClock
from headwater.core.calls import AnswerOne, Frame
from headwater.core.database import Database
from headwater.core.failures import remote_error
from headwater.core.logs import CallLog
from headwater.core.manifest import FunctionSpec, Manifest
from headwater.errors import BackendLoadError
from headwater.pipe import Pipe, Process, WorkerFailed, WorkerLimits
from headwater.remote import MalformedFrame
from headwater.remote_actions import RemoteActions
from headwater.remote_calls import RemoteCall
from headwater.remote_site import RemoteCtx, RemoteSite, answer_in
from headwater.settings import Limits
from headwater.worlds import World

Launch = Callable[[], Process]

_REQUESTS_KEPT: Final = 20_000
_PRINTED_KEPT: Final = 16 * 2**20


class WorkerPlacement:
    """Runs handlers in a worker process.

    Args:
        launch: starts `python -I -m headwater.worker` with pipes for its three streams.
        folder: the folder that holds `backend/`, as the worker sees it.
        end: ends a process and all it started.
        limits: what a worker may take.
        function_limits: the limits its own driver keeps.
        environment: the worker's; it has no other variables.
        world: where it lives, if not in this one; `launch` sees to the world's environment.

    Attributes:
        entered: how often each function's handler was asked for, by path.
        requests: what the last call asked for, in order.
        failures: how often a worker had to be ended.
        failed: why it had to be in the last call; None when it did not.
        launch: as given.
        environment: the variables of the next process; see `have`.
        preload: modules that are slow to import, and are not to be a part of the first call.
    """

    def __init__(
        self,
        launch: Launch,
        folder: Path,
        *,
        end: Callable[[Process], Any],
        limits: WorkerLimits | None = None,
        function_limits: Limits | None = None,
        environment: Mapping[str, str] | None = None,
        world: World | None = None,
    ) -> None:
        self.launch, self._folder, self._end = launch, folder, end
        self.environment = dict(environment or {})
        self.preload: tuple[str, ...] = ()
        self._limits = limits or WorkerLimits()
        self._function_limits = function_limits or Limits()
        self._world = {} if world is None else {"world": world.to_json()}
        self._pipe: Pipe | None = None
        self._database: Database | None = None
        self._open: list[RemoteCall] = []
        self._actions: RemoteActions | None = None
        self._deadline = 0.0
        self._number = 0
        self.entered: dict[str, int] = {}
        self.requests: list[Any] = []
        self.failures = 0
        self.failed: WorkerFailed | None = None
        self._printed = bytearray()
        self._manifest = self._start()

    @property
    def manifest(self) -> Manifest:
        """The backend as the worker described it when it was first loaded."""
        return self._manifest

    @property
    def root(self) -> None:
        """No folder of this process: the worker words its own traces."""
        return

    def attach(self, database: Database) -> None:
        """Tells it which database it runs on."""
        self._database = database

    @property
    def printed(self) -> str:
        """Everything workers have written so far: what they printed, logged, and failed with."""
        if self._pipe is not None:
            self._pipe.drain()
        return self._printed.decode(errors="replace")

    def _hear(self, piece: bytes) -> None:
        self._printed += piece[: max(0, _PRINTED_KEPT - len(self._printed))]

    def close(self, why: WorkerFailed | None = None) -> None:
        """Ends the worker, and the actions it had open with this error."""
        actions, self._actions = self._actions, None
        if actions is not None:
            ended = WorkerFailed("ended", "the process was ended")
            ended.told = True
            actions.abandon(why or ended)
        if self._pipe is not None:
            pipe, self._pipe = self._pipe, None
            pipe.drain()
            pipe.close()
            self._end(pipe.process)

    def have(self, environment: Mapping[str, str], *, anew: bool = False) -> None:
        """Lets the next call find a process with these variables and no others.

        Args:
            anew: also when the one there is has them.
        """
        if anew or environment != self.environment:
            self.environment = dict(environment)
            self.close()

    def restart(self) -> None:
        """Ends the worker and starts another, which must describe the same backend.

        Raises:
            WorkerFailed: it does not start, or is another.
        """
        self.close()
        with _Guard(self, "loading backend/"):
            self._ready_pipe()

    def run(self, frame: Frame, answer: AnswerOne) -> Any:
        """Runs a handler in the worker; gives its result as a value, or raises what it raised.

        Raises:
            WorkerFailed: the worker did not play by the rules and was ended.
        """
        path = frame.spec.path
        self._begin(path)
        with _Guard(self, path):
            pipe = self._ready_pipe()
            self._number += 1
            call = RemoteCall(self._number, answer, self._limits.prefetch)
            self._open.append(call)
            try:
                pipe.send(self._call_message(frame, call.number), self._deadline)
                end = self._answer_until_end(pipe, call)
            finally:
                self._open.pop()
            if self._actions and not self._open:
                self._actions.catch_up()
            return self._result(end, frame.log)

    async def run_action(
        self,
        spec: FunctionSpec,
        arguments: dict[str, Any],
        identity: dict[str, Any] | None,
        runner: Any,
        log: CallLog,
        database: Database,
    ) -> Any:
        """Runs an action in the worker, on the running event loop; gives its result as a value, or
        raises what it raised.

        Raises:
            WorkerFailed: the worker did not play by the rules and was ended.
        """
        message = {"path": spec.path, "arguments": remote.value_out(arguments)}
        return await self._act(spec.path, message, identity, runner, log, database)

    @property
    def site(self) -> RemoteSite | None:
        """The application of its HTTP routes; None when it has none."""
        return RemoteSite(self._act) if self._manifest.routes else None

    def action_ctx(self, identity: Any, runner: Any, database: Database) -> RemoteCtx:
        """Stands for the ctx of a route: the real one is in the worker."""
        return RemoteCtx(identity, runner, database)

    async def _act(
        self,
        what: str,
        message: dict[str, Any],
        identity: dict[str, Any] | None,
        runner: Any,
        log: CallLog,
        database: Database,
    ) -> Any:
        self._begin(what)
        with _Guard(self, what):
            self._ready_pipe()
            assert self._actions is not None
            self._number += 1
            chance = {"seed": str(database.clock.seed()), "now": self._now_ms()}
            about = {"identity": remote.value_out(identity), "tables": self._tables()}
            opening = {"action": self._number, **chance, **about}
            deadline = monotonic() + self._limits.action_s
            with _flowing(database):
                end = await self._actions.run({**opening, **message}, runner, deadline)
            result = self._result(end, log)
            return answer_in(result) if "route" in message else result

    def _begin(self, what: str) -> None:
        self.entered[what] = self.entered.get(what, 0) + 1
        if not self._open and not self._actions:
            self.requests, self.failed = [], None

    def _note(self, request: Any) -> None:
        if len(self.requests) < _REQUESTS_KEPT:
            self.requests.append(request)

    def _now_ms(self) -> float:
        assert self._database is not None
        return self._database.clock.now_ms()

    def _ready_pipe(self) -> Pipe:
        """The worker, idle and loaded; a nested call keeps the outer call's deadline."""
        if self._open:
            assert self._pipe is not None
            return self._pipe
        if self._actions:
            assert self._pipe is not None
            self._deadline = monotonic() + self._limits.call_s
            return self._pipe
        if self._pipe is None and self._start().to_json() != self._manifest.to_json():
            raise MalformedFrame("it describes another backend after a restart")
        assert self._pipe is not None
        self._pipe.check_quiet()
        self._deadline = monotonic() + self._limits.call_s
        return self._pipe

    def _tables(self) -> dict[str, int]:
        assert self._database is not None, "attach() comes before run()"
        return {name: table.number for name, table in self._database.catalog.tables.items()}

    def _call_message(self, frame: Frame, number: int) -> dict[str, Any]:
        return {
            "call": number,
            "path": frame.spec.path,
            "arguments": remote.value_out(frame.arguments),
            "now": frame.now_ms,
            "seed": str(frame.seed),
            "tables": self._tables(),
            "nested": frame.nested,
        }

    def _answer_until_end(self, pipe: Pipe, call: RemoteCall) -> dict[str, Any]:
        while True:
            message = pipe.receive(self._deadline)
            if "action" in message and self._actions:
                self._actions.take(message)
                continue
            if message.get("call") != call.number:
                raise MalformedFrame("it spoke of another call")
            call.note_used(message.get("used"))
            if "ask" not in message:
                return message
            request = remote.request_in(message["ask"])
            self._note(request)
            pipe.send({"answer": call.answer(request)}, self._deadline)

    def _result(self, end: dict[str, Any], log: CallLog) -> Any:
        for line in remote.typed(end.get("log", []), list, "the log")[: self._log_lines + 1]:
            level, _, text = remote.typed(line, str, "a log line").partition("] ")
            self._hear(line.encode(errors="replace") + b"\n")
            log.add(level[1:11], text)
        if "raise" in end:
            failure = remote.failure_in(end["raise"])
            self._hear(failure.message.encode(errors="replace") + b"\n")
            raise remote_error(failure)
        if "return" not in end:
            raise MalformedFrame("neither a result nor an error")
        return remote.value_in(end["return"])

    @property
    def _log_lines(self) -> int:
        return self._function_limits.log_lines

    def _start(self) -> Manifest:
        """A fresh worker with the backend loaded; its manifest."""
        self._pipe = pipe = Pipe(self.launch(), self._limits, self._hear)
        self._actions = RemoteActions(pipe, self._limits, self._now_ms, self._note, self._broken)
        imports_s = self._limits.load_s * bool(self.preload)
        deadline = monotonic() + imports_s + self._limits.load_s
        with _Guard(self, "loading backend/"):
            limits = self._function_limits.settable()
            ready = {"environment": self.environment, "preload": list(self.preload)}
            order = {"load": str(self._folder), "limits": limits, **ready, **self._world}
            pipe.send(order, deadline)
            message = pipe.receive(deadline)
            if "raise" in message:
                raise BackendLoadError(remote.failure_in(message["raise"]).message)
            try:
                return Manifest.from_json(message["manifest"])
            except Exception as error:  # it reads a stranger's data, which may be anything
                raise MalformedFrame(f"no manifest: {error!r}") from None

    def _broken(self, error: WorkerFailed | MalformedFrame) -> None:
        """Ends the worker for what one of its actions said or did."""
        if not (isinstance(error, WorkerFailed) and error.told):
            self.give_up("an action", error)

    def give_up(self, doing: str, error: WorkerFailed | MalformedFrame) -> WorkerFailed:
        """Ends the worker; the error says what it was doing."""
        printed = self._pipe.printed if self._pipe is not None else ""
        self.failures += 1
        if isinstance(error, WorkerFailed):
            text = f"{doing}: the process {error}"
            failed = WorkerFailed(error.reason, text, error.printed)
        else:
            text = f"{doing}: the process wrote to the pipe what is no reply: {error}"
            failed = WorkerFailed("malformed", text, printed)
        failed.told = True
        self.failed = failed
        self.close(failed)
        return failed


def _flowing(database: Database) -> AbstractContextManager[None]:
    """While an action runs, a clock that is moved by hand goes on as the real one does."""
    clock = database.clock
    return clock.flowing() if isinstance(clock, VirtualClock) else nullcontext()


class _Guard:
    """Turns what goes wrong with the worker into one WorkerFailed, and ends the worker."""

    def __init__(self, placement: WorkerPlacement, doing: str) -> None:
        self._placement, self._doing = placement, doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, WorkerFailed) and error.told:
            return  # said already by the nested call
        if isinstance(error, WorkerFailed | MalformedFrame):
            raise self._placement.give_up(self._doing, error) from None
        if isinstance(error, BackendLoadError):
            self._placement.close()
