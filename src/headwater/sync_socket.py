"""The sync socket: one WebSocket, its messages to the engine and the engine's texts back.

A plain ASGI application: it runs no user code and knows no rules of the protocol but how to read
it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from typing import Any

from headwater.auth import EXPIRED, NOBODY, Auth, Caller
from headwater.core import protocol
from headwater.core.calls import NO_FUNCTION, Call, Outcome
from headwater.core.failures import failure_of
from headwater.core.protocol import ActionRequest, Authenticate, Connect, Event, TooLarge
from headwater.core.replies import message_too_large
from headwater.core.session import Close, Session
from headwater.core.work import Authenticated, Drained, FromClient, Left
from headwater.errors import InvalidToken, ProtocolError
from headwater.hub import Hub
from headwater.settings import Limits

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_CHUNKED_SINCE = (1, 28, 0)
_UNSUPPORTED = (0, 19, 1)
_QUIET_TICKS = 3
_TOO_LARGE = 1009  # the close code of a message larger than a frame may be
_log = logging.getLogger("headwater")


def client_version(path: str) -> tuple[int, ...] | None:
    """The npm client's version in a path such as `/api/1.48.0/sync`; () for `/api/sync`.

    Returns:
        None when the path is no sync path or the version cannot be read.
    """
    match = re.fullmatch(r"/api/(?:(\d+)\.(\d+)\.(\d+)(?:-[\w.]+)?/)?sync", path)
    if match is None:
        return None
    return tuple(int(part) for part in match.groups() if part is not None)


def unsupported(version: tuple[int, ...]) -> bool:
    """True for npm clients too old to speak this protocol."""
    return bool(version) and version <= _UNSUPPORTED


class SyncSocket:
    """One client's connection, on the network's thread.

    Attributes:
        transitions_sent: transitions that have left for the client; the engine reads it.
    """

    __slots__ = (  # a push to a thousand clients goes through as many of these
        "_actions",
        "_auth",
        "_closed",
        "_expiry",
        "_hub",
        "_limits",
        "_messages",
        "_quiet_ticks",
        "_send",
        "_session",
        "_slow",
        "_waiting",
        "_waiting_bytes",
        "transitions_sent",
    )

    def __init__(self, hub: Hub, auth: Auth, limits: Limits, version: tuple[int, ...]) -> None:
        self.transitions_sent = 0
        self._hub = hub
        self._auth = auth
        self._limits = limits
        self._session = Session(self, limits, chunked=version >= _CHUNKED_SINCE)
        self._send: Send | None = None
        self._waiting: deque[tuple[str | Close, int]] = deque()
        self._waiting_bytes = 0
        self._slow: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()
        self._expiry: asyncio.TimerHandle | None = None
        self._actions: set[asyncio.Task[None]] = set()
        self._messages = 0
        self._quiet_ticks = 0

    async def run(self, receive: Receive, send: Send) -> None:
        """Serves the connection until it ends."""
        await receive()
        await send({"type": "websocket.accept"})
        self._send = send
        self._hub.sessions += 1
        reading = asyncio.create_task(self._read(receive))
        closed = asyncio.create_task(self._closed.wait())
        pinging = asyncio.create_task(self._ping_when_quiet())
        try:
            await asyncio.wait((reading, closed), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()  # an error of ours, for uvicorn to log
        finally:
            self._hub.sessions -= 1
            self._closed.set()
            for task in (reading, closed, pinging):  # actions go on: half of one helps nobody
                task.cancel()
            if self._slow is not None:
                self._slow.cancel()
            self._expires_in(None)
            self._auth.hold(self, None)
            self._hub.put(Left(self._session))

    async def _read(self, receive: Receive) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            await self._take(message.get("text") or message.get("bytes") or b"")
        if message.get("code") == _TOO_LARGE and self._session.id is not None:
            self._hub.sent_too_large(self._session.id)

    async def _take(self, text: str | bytes) -> None:
        try:
            message = self._parsed(text)
            if isinstance(message, Event):
                return
            if isinstance(message, ActionRequest):
                self._start_action(message)
                return
            if isinstance(message, TooLarge) and message.is_action:
                self._refuse_action(message)
                return
            work = (
                await self._authenticated(message)  # what comes after it waits for it
                if isinstance(message, Authenticate)
                else FromClient(self._session, message)
            )
            self._messages += 1
            self._hub.put(work)
        except ProtocolError as error:
            self.deliver([protocol.fatal_error(error.message)], 0, Close())
            return
        # A client that sends faster than the engine takes is made to wait, not refused: after a
        # reconnect it may rightly replay any number of mutations.
        while self._messages - self._session.taken > self._limits.requests_waiting:
            await self._hub.next_turn()

    def _parsed(self, text: str | bytes) -> protocol.ClientMessage | TooLarge:
        if len(text) > self._limits.message_bytes:
            return protocol.too_large(text)
        message = protocol.parse(text)
        if isinstance(message, Connect) and self._hub.was_too_large(message.session_id):
            raise ProtocolError(
                f"a message was larger than {int(self._limits.frame_bytes)} bytes and would be "
                "sent again for ever; reload the page, and send less at once"
            )
        return message

    async def _authenticated(self, message: Authenticate) -> Authenticated:
        base = message.base_version
        try:
            caller = await self._caller(message)
        except InvalidToken as error:
            return Authenticated(self._session, base, None, error.message)
        self._expires_in(caller.lasts_s)
        self._auth.hold(self, caller.provider)
        return Authenticated(self._session, base, caller.identity, admin=caller.admin)

    async def _caller(self, message: Authenticate) -> Caller:
        if message.token_type == "None":
            return NOBODY
        if message.token_type == "Admin":
            return self._auth.admin(message.token, message.impersonating)
        return await self._auth.user(message.token)

    def _expires_in(self, seconds: float | None) -> None:
        """Ends what the client was authenticated for, unless it sends a newer token before."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if seconds is not None:
            self._expiry = asyncio.get_running_loop().call_later(
                seconds, self.end_identity, EXPIRED
            )

    def end_identity(self, why: str) -> None:
        """Tells the client that what it was authenticated by is good no more, and closes."""
        self._messages += 1
        self._hub.put(Authenticated(self._session, 0, None, why, attempted=False))

    # actions

    def _start_action(self, message: ActionRequest) -> None:
        task = asyncio.create_task(self._run_action(message, self._messages))
        self._actions.add(task)
        task.add_done_callback(self._actions.discard)

    async def _run_action(self, message: ActionRequest, after: int) -> None:
        session = self._session
        while session.taken < after:  # a token sent before the action is the one it runs with
            await self._hub.next_turn()
        call = Call(
            message.path, "action", message.arguments, session.identity, internal=session.admin
        )
        outcome = await self._hub.actions.run(call)
        self.deliver([self._action_response(message.request_id, outcome)], 0, None)

    def _refuse_action(self, message: TooLarge) -> None:
        error = message_too_large(message.bytes, int(self._limits.message_bytes))
        outcome, engine = Outcome(took_s=0.0), self._hub.engine
        outcome.fail(failure_of(error), engine.database.clock)
        engine.on_call(Call(NO_FUNCTION, "action", {}), outcome)
        self.deliver([self._action_response(message.request_id, outcome)], 0, None)

    def _action_response(self, request_id: int, outcome: Outcome) -> str:
        disclosure, failure = self._hub.engine.disclosure, outcome.failure
        lines = disclosure.lines(outcome.log_lines)
        if failure is None:
            return protocol.action_response(request_id, outcome.value or b"null", lines)
        message = disclosure.message(failure, outcome.request_id)
        return protocol.action_failed(request_id, message, failure.data, lines)

    # sending

    def deliver(self, texts: list[str], transitions: int, close: Close | None) -> None:
        """Sends texts in order, the last one a transition if `transitions` is 1, then closes."""
        if self._closed.is_set() or self._send is None:
            return
        # What is too much was too much before: a single transition may be as large as its results.
        if self._waiting_bytes > self._limits.send_buffer_bytes:
            self._cut_off("it does not read what it asked for")
            return
        self._quiet_ticks = 0
        last = len(texts) - 1
        for number, text in enumerate(texts):
            self._offer(text, transitions if number == last else 0)
        if close is not None:
            self._offer(close, 0)

    def _offer(self, item: str | Close, transitions: int) -> None:
        if self._slow is not None or isinstance(item, Close):
            self._queue(item, transitions)
            return
        # Driving `send` by hand saves a task per message: with room in the socket it ends at once.
        sending = self._sending(item)
        try:
            blocked_on = sending.send(None)
        except StopIteration:
            self.transitions_sent += transitions
            if transitions and self._session.held_back:
                self._hub.put(Drained(self._session))
            return
        except Exception:  # the client is gone; reading notices too
            self._closed.set()
            return
        self._slow = asyncio.create_task(self._drain(_Rest(sending, blocked_on), transitions))

    def _sending(self, text: str) -> Any:
        assert self._send is not None, "the socket was accepted"
        return self._send({"type": "websocket.send", "text": text})

    def _queue(self, item: str | Close, transitions: int) -> None:
        self._waiting.append((item, transitions))
        self._waiting_bytes += 0 if isinstance(item, Close) else len(item)
        if self._slow is None:
            self._slow = asyncio.create_task(self._drain(None, 0))

    async def _drain(self, rest: _Rest | None, transitions: int) -> None:
        """Sends what waits for a slow client, then tells the engine that there is room again."""
        try:
            async with asyncio.timeout(self._limits.slow_client_s):
                if rest is not None:
                    await rest
            self.transitions_sent += transitions
            while self._waiting and not self._closed.is_set():
                await self._send_next()
        except TimeoutError:
            self._cut_off(f"it took nothing for {self._limits.slow_client_s:g} s")
        except Exception:
            self._closed.set()
        self._slow = None
        self._hub.put(Drained(self._session))

    async def _send_next(self) -> None:
        item, transitions = self._waiting.popleft()
        assert self._send is not None, "the socket was accepted"
        if isinstance(item, Close):
            message: Message = {"type": "websocket.close", "code": item.code, "reason": item.reason}
            await self._send(message)
            self._closed.set()
            return
        self._waiting_bytes -= len(item)
        async with asyncio.timeout(self._limits.slow_client_s):
            await self._sending(item)
        self.transitions_sent += transitions

    def _cut_off(self, why: str) -> None:
        _log.warning("a client was cut off: %s", why)
        self._waiting.clear()
        self._closed.set()
        # A closed transport first sends what it holds, which a client that reads nothing never
        # takes; ASGI has no word for letting it go, so the server's own transport is asked.
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()

    async def _ping_when_quiet(self) -> None:
        quiet = self._limits.idle_ping_s
        while True:
            await asyncio.sleep(quiet / _QUIET_TICKS)
            self._quiet_ticks += 1
            if self._quiet_ticks > _QUIET_TICKS:
                self.deliver([protocol.PING], 0, None)


class _Rest:
    """The rest of a `send` that was begun by hand and met a full socket.

    The future it is blocked on is given to the task again, as if the task had met it.
    """

    def __init__(self, sending: Any, blocked_on: Any) -> None:
        self._sending = sending
        self._blocked_on = blocked_on

    def __await__(self) -> Generator[Any, Any, None]:
        blocked_on = self._blocked_on
        while True:
            yield blocked_on
            try:
                blocked_on = self._sending.send(None)
            except StopIteration:
                return
