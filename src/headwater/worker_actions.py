"""Actions and HTTP routes in a worker: they await on an event loop here; what they ask of ctx the
host answers.

They may ask several things at once, and the host may answer in any order. Queries and mutations the
host runs meanwhile are run in between, on the same thread.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine
from time import monotonic
from typing import Any, Final, NoReturn

from headwater import remote, remote_requests
from headwater.core import requests
from headwater.core.context import ActionCtx
from headwater.core.context_storage import ActionStorage, BlobStream
from headwater.core.database import Database
from headwater.core.failures import failure_of
from headwater.core.files import FileStore, NoFiles
from headwater.core.logs import CallLog
from headwater.core.placement import InProcess
from headwater.core.spending import note_mutation
from headwater.errors import HeadwaterError
from headwater.settings import Limits
from headwater.worker_routes import answer_to

ASKED_AT_ONCE: Final = 100
"""Further requests of an action wait in the worker until one of these is answered."""

STORED_AT_ONCE: Final = 10
_PIECE_BYTES: Final = 2**20

Send = Callable[[dict[str, Any]], None]


class RemoteRunner:
    """How one action reaches the rest of the backend: by requests to the host.

    Args:
        number: the action's.
        send: sends a message to the host.
        wait: handles the host's messages until the given condition holds.
        seed: for its chance.
        now_ms: the host's time as the action begins.
    """

    def __init__(
        self,
        number: int,
        send: Send,
        wait: Callable[[Callable[[], bool]], None],
        *,
        seed: int,
        now_ms: float,
    ) -> None:
        self.seed = seed
        self._known_ms, self._known_at = now_ms, monotonic()
        self._number, self._send, self._wait = number, send, wait
        self._asked = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._free = asyncio.Semaphore(ASKED_AT_ONCE)
        self._ended = False

    @property
    def files(self) -> FileStore:
        """None: the bytes are at the host."""
        return NoFiles()

    async def transact(self, _step: Any) -> NoReturn:
        """Nothing: transactions are at the host."""
        raise HeadwaterError("a transaction cannot be reached from a worker")

    async def run(self, function: Any, arguments: dict[str, Any]) -> Any:
        """Another function of the backend, to its end."""
        if function.kind == "mutation":
            note_mutation()
        asked = requests.RunFunction(function.path, function.kind, arguments)
        return function.read.returns.load(await self.request(asked))

    async def ask(self, request: Any, then: Callable[[Any], Any] | None = None, /) -> Any:
        """A request of the action's scheduler."""
        answer = await self.request(request)
        return answer if then is None else then(answer)

    async def request(self, request: Any) -> Any:
        """The host's answer to any request an action may make.

        Raises:
            HeadwaterError: what the host raised, or the action has ended.
        """
        async with self._free:
            return await self._sent(request)

    def now(self) -> float:
        """The host's time, asked for on the spot; in another thread, what it must be by now."""
        if threading.current_thread() is not threading.main_thread():
            return self._known_ms + (monotonic() - self._known_at) * 1000
        answered = self._sent(remote_requests.Now())
        self._wait(answered.done)
        self._known_ms, self._known_at = float(answered.result()), monotonic()
        return self._known_ms

    def take(self, number: int, part: dict[str, Any]) -> None:
        """The host's answer to one request."""
        future = self._waiting.pop(number, None)
        if future is None or future.done():  # whoever waited was cancelled
            return
        try:
            future.set_result(remote.answer_in(part, {}))
        except HeadwaterError as error:
            future.set_exception(error)

    def end(self) -> None:
        """The action has ended: no more is asked."""
        self._ended = True

    def _sent(self, request: Any) -> asyncio.Future[Any]:
        if self._ended:
            raise HeadwaterError("the action has ended; await what it starts before it returns")
        number, future = next(self._asked), asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        part = remote.request_out(request)
        self._send({"action": self._number, "id": number, "ask": part})
        return future


class RemoteStorage(ActionStorage):
    """`ctx.storage` of an action in a worker: bytes go over the pipe in pieces."""

    def __init__(self, runner: RemoteRunner) -> None:
        super().__init__(runner)
        self._host = runner
        self._files = itertools.count(1)
        self._free = asyncio.Semaphore(STORED_AT_ONCE)

    async def _answer(self, request: Any) -> Any:
        return await self._host.request(request)

    async def _keep(
        self, content: AsyncIterable[bytes], content_type: str | None, sha256: str | None
    ) -> str:
        file = next(self._files)
        async with self._free:
            async for chunk in content:
                for start in range(0, len(chunk), _PIECE_BYTES):
                    piece = bytes(chunk[start : start + _PIECE_BYTES])
                    await self._host.request(remote_requests.SendPiece(file, piece))
            kept = remote_requests.KeepFile(file, content_type, sha256)
            storage_id: str = await self._host.request(kept)
        return storage_id

    async def _opened(self, storage_id: str, operation: str) -> BlobStream | None:
        found = await self._host.request(remote_requests.OpenFile(storage_id, operation))
        if found is None:
            return None
        pieces = self._pieces(int(found["file"]))
        return BlobStream(int(found["size"]), found["contentType"], pieces)

    async def _pieces(self, file: int) -> AsyncIterator[bytes]:
        while (piece := await self._host.request(remote_requests.NextPiece(file))) is not None:
            yield piece


class WorkerHandlers(InProcess):
    """Handlers of a worker: the clock and the chance of actions are the host's."""

    def action_ctx(self, identity: Any, runner: Any, database: Database | None) -> ActionCtx:
        """The ctx of an action, or of a route."""
        ctx = ActionCtx(runner, identity, runner.now, runner.seed)
        ctx.storage = RemoteStorage(runner)
        return ctx


class OpenActions:
    """The actions that run in this worker now.

    Args:
        handlers: runs them.
        send: sends a message to the host.
        wait: handles the host's messages until the given condition holds.
        limits: of their logs.

    Attributes:
        loop: what they run on; None until the first.
    """

    def __init__(
        self,
        handlers: WorkerHandlers,
        send: Send,
        wait: Callable[[Callable[[], bool]], None],
        limits: Limits,
    ) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._handlers, self._send, self._wait, self._limits = handlers, send, wait, limits
        self._runners: dict[int, RemoteRunner] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, message: dict[str, Any]) -> None:
        """A message of the host about an action: a new one, or the answer to a request of one."""
        number = message["action"]
        if "answer" in message:
            if number in self._runners:
                self._runners[number].take(message["id"], message["answer"])
            return
        self.loop = self.loop or asyncio.new_event_loop()
        task = self.loop.create_task(self._to_its_end(number, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _to_its_end(self, number: int, message: dict[str, Any]) -> None:
        log = CallLog(self._limits)
        seed, now_ms = int(message["seed"]), message["now"]
        runner = RemoteRunner(number, self._send, self._wait, seed=seed, now_ms=now_ms)
        self._runners[number] = runner
        try:
            value = await self._run(message, runner, log)
            end: dict[str, Any] = {"return": remote.value_out(value)}
        except BaseException as error:  # a handler's sys.exit() is an answer too
            end = {"raise": remote.failure_out(failure_of(error, self._handlers.root))}
        runner.end()
        self._send({"action": number, **end, "log": log.lines})

    def _run(
        self, message: dict[str, Any], runner: RemoteRunner, log: CallLog
    ) -> Coroutine[Any, Any, Any]:
        identity = remote.value_in(message["identity"])
        if "route" in message:
            ctx = self._handlers.action_ctx(identity, runner, None)
            return answer_to(self._handlers.site, message["route"], ctx, log)
        spec = self._handlers.app.functions[message["path"]].spec
        arguments = remote.value_in(message["arguments"])
        database: Any = None  # it is at the host
        return self._handlers.run_action(spec, arguments, identity, runner, log, database)
