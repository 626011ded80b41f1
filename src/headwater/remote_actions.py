"""The host's side of actions in a worker: what each has asked, and what it is answered.

Each request becomes a task of the host's event loop, so the host decides in which order requests
are served. What an action says after its end, or without meaning, ends the worker.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from time import monotonic
from types import SimpleNamespace
from typing import Any, Final

from headwater import remote, remote_requests
from headwater.core import requests
from headwater.core.context_storage import ActionStorage
from headwater.errors import HeadwaterError
from headwater.pipe import Pipe, WorkerFailed, WorkerLimits
from headwater.remote import MalformedFrame

_OF_SCHEDULER: Final = (requests.Schedule, requests.Cancel)
_OF_DATABASE: Final = (
    requests.UploadUrl, requests.FileUrl, requests.FileFacts, requests.DeleteFile,
)  # fmt: skip
_AS_VALUES: Final = SimpleNamespace(returns=SimpleNamespace(load=lambda value: value))
"""Stands for what restores a function's result: here it stays a value."""


@dataclass
class _Action:
    """One open action.

    Attributes:
        runner: calls the backend in its caller's name.
        end: its last message.
        asked: its requests without an answer: the bytes of each, by number.
        sent: the files it is sending.
        context: of whoever runs it; what it asks is asked there.
        opened: the files it is reading.
    """

    number: int
    runner: Any
    deadline: float
    end: asyncio.Future[dict[str, Any]]
    asked: dict[int, int] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    sent: dict[int, bytearray] = field(default_factory=dict)
    context: Context = field(default_factory=copy_context)
    opened: dict[int, AsyncIterator[bytes]] = field(default_factory=dict)
    files: Iterator[int] = field(default_factory=itertools.count)


class RemoteActions:
    """The actions one worker process has open.

    Args:
        pipe: to the process.
        limits: what it may ask.
        now: the host's time, in ms since 1970.
        note: told of every request.
        failed: told that the process did not play by the rules.
    """

    def __init__(
        self,
        pipe: Pipe,
        limits: WorkerLimits,
        now: Callable[[], float],
        note: Callable[[Any], None],
        failed: Callable[[WorkerFailed | MalformedFrame], None],
    ) -> None:
        self._pipe, self._limits, self._now = pipe, limits, now
        self._note, self._failed = note, failed
        self._open: dict[int, _Action] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._abandoned = False

    def __bool__(self) -> bool:
        return bool(self._open)

    async def run(self, message: dict[str, Any], runner: Any, deadline: float) -> dict[str, Any]:
        """Opens an action and gives its last message; what it asked is served by then.

        Raises:
            WorkerFailed: the process did not play by the rules, or the action took too long.
            HeadwaterError: as many actions are open as may be.
        """
        if len(self._open) >= self._limits.open_actions:
            raise HeadwaterError(f"{len(self._open)} actions run, as many as there may be at once")
        loop = asyncio.get_running_loop()
        action = _Action(message["action"], runner, deadline, loop.create_future())
        self._listen(loop)
        self._open[action.number] = action
        self._send(message, deadline)
        try:
            async with asyncio.timeout(max(0.0, deadline - monotonic())):
                end = await action.end
                while action.tasks:
                    await asyncio.wait(set(action.tasks))
                return end
        except TimeoutError:
            raise WorkerFailed("silent", "gave no answer in time", self._pipe.printed) from None
        except asyncio.CancelledError:  # it is still running there
            self._fail(WorkerFailed("silent", "was stopped", self._pipe.printed))
            raise
        finally:
            self._close(action)

    def take(self, message: dict[str, Any]) -> None:
        """A message about an action.

        Raises:
            MalformedFrame: it makes no sense now.
        """
        action = self._open.get(remote.typed(message.get("action"), int, "an action"))
        if action is None or action.end.done():
            raise MalformedFrame("it spoke of an action that is not open")
        if "ask" not in message:
            action.end.set_result(message)
            return
        number = remote.typed(message.get("id"), int, "a request's number")
        if number in action.asked or len(action.asked) >= self._limits.open_requests:
            raise MalformedFrame("a request's number again, or too many requests at once")
        request = remote.request_in(message["ask"])
        action.asked[number] = message["bytes"]
        if sum(map(_asked_bytes, self._open.values())) > self._limits.open_bytes:
            raise MalformedFrame("requests that are too large to wait together")
        serving = self._serve(action, number, request)
        task = asyncio.get_running_loop().create_task(serving, context=action.context)
        action.tasks.add(task)
        task.add_done_callback(action.tasks.discard)

    def catch_up(self) -> None:
        """Takes what came along with the answers to another call."""
        for message in self._pipe.kept():
            self.take(message)

    def abandon(self, error: WorkerFailed) -> None:
        """The process is gone: every open action ends with this error."""
        self._abandoned = True
        self._deafen()
        for action in self._open.values():
            for task in action.tasks:  # what it asked is asked by nobody any more
                task.cancel()
            if not action.end.done():
                action.end.set_exception(error)
                action.end.exception()  # looked at, should nobody wait any more

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is loop:
            return
        self._loop = loop
        loop.add_reader(self._pipe.fileno(), self._hear)

    def _deafen(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._pipe.fileno())
        self._loop = None

    def _send(self, message: dict[str, Any], deadline: float) -> None:
        self._pipe.send(message, deadline)
        if self._pipe.read_ahead:  # while it did not take the message, it went on to speak
            asyncio.get_running_loop().call_soon(self._hear)

    def _hear(self) -> None:
        if self._abandoned:
            return
        try:
            for message in self._pipe.said():
                self.take(message)
        except (WorkerFailed, MalformedFrame) as error:
            self._fail(error)

    def _fail(self, error: WorkerFailed | MalformedFrame) -> None:
        if not self._abandoned:
            self._failed(error)

    def _close(self, action: _Action) -> None:
        self._open.pop(action.number, None)
        for task in set(action.tasks):
            task.cancel()
        if not self._open:
            self._deafen()

    async def _serve(self, action: _Action, number: int, request: Any) -> None:
        try:
            part = await self._answer(action, request)
            if self._abandoned:
                return
            action.asked.pop(number, None)
            message = {"action": action.number, "id": number, "answer": part}
            self._send(message, action.deadline)
        except (WorkerFailed, MalformedFrame) as error:
            self._fail(error)
        except Exception as error:  # nobody else would hear of it, and the action wait for ever
            self._fail(MalformedFrame(f"what the host could not answer: {error!r}"))

    async def _answer(self, action: _Action, request: Any) -> dict[str, Any]:
        if type(request) is not remote_requests.Now:
            self._note(request)
        try:
            return remote.answer_out(await self._value(action, request))
        except (WorkerFailed, MalformedFrame):
            raise
        except HeadwaterError as error:
            return remote.error_out(error)

    async def _value(self, action: _Action, request: Any) -> Any:
        runner, kind = action.runner, type(request)
        if kind is remote_requests.Now:
            return self._now()
        if kind is requests.RunFunction:
            named = SimpleNamespace(path=request.path, kind=request.kind, read=_AS_VALUES)
            return await runner.run(named, request.arguments)
        if kind in _OF_SCHEDULER:
            return await runner.ask(request)
        if kind in _OF_DATABASE:
            return await runner.transact(lambda transaction: transaction.answer(request))
        return await self._of_files(action, request)

    async def _of_files(self, action: _Action, request: Any) -> Any:
        match request:
            case remote_requests.SendPiece(file, content):
                return self._send_piece(action, file, content)
            case remote_requests.KeepFile(file, content_type, sha256):
                content = bytes(action.sent.pop(file, b""))
                storage = ActionStorage(action.runner)
                return await storage.store(content, content_type=content_type, sha256=sha256)
            case remote_requests.OpenFile(storage_id, operation):
                return await self._open_file(action, storage_id, operation)
            case remote_requests.NextPiece(file) if file in action.opened:
                piece = await anext(action.opened[file], None)
                if piece is None:
                    del action.opened[file]
                return piece
        raise MalformedFrame(f"a {type(request).__name__} of an action")

    def _send_piece(self, action: _Action, file: int, content: bytes) -> None:
        action.sent.setdefault(file, bytearray()).extend(content)
        if len(action.sent) > self._limits.open_requests:
            raise MalformedFrame("more files at once than it may send")
        if sum(map(len, action.sent.values())) > self._limits.sent_bytes:
            del action.sent[file]
            text = f"{self._limits.sent_bytes} bytes, as many as an action may store here at once"
            raise HeadwaterError(text)

    async def _open_file(
        self, action: _Action, storage_id: str, operation: str
    ) -> dict[str, Any] | None:
        if len(action.opened) >= self._limits.open_requests:
            raise MalformedFrame("more open files than it may have")
        stream = await ActionStorage(action.runner)._open(storage_id, operation)
        if stream is None:
            return None
        number = next(action.files)
        action.opened[number] = aiter(stream)
        facts = {"size": float(stream.size), "contentType": stream.content_type}
        return {"file": float(number), **facts}


def _asked_bytes(action: _Action) -> int:
    return sum(action.asked.values())
