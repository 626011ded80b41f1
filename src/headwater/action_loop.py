"""The loop actions and HTTP routes run on: a thread of its own, so that one that blocks holds up no
client.

They may await anything, so they need a real event loop; but they are user code: on the loop of the
network one forgotten `time.sleep` would stop every socket. Here it delays other actions only.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from headwater.core.actions import ActionHost
from headwater.core.calls import Call, Outcome
from headwater.core.engine import Engine
from headwater.core.failures import failure_of
from headwater.core.work import Execute, Work
from headwater.errors import HeadwaterError, Overloaded

Reply = Callable[[Outcome, int], None]
T = TypeVar("T")


class ActionLoop:
    """Runs actions on a thread that starts with the first of them.

    Args:
        engine: what the actions' queries and mutations run on.
        put: queues work for it.

    Attributes:
        host: runs one action, on this loop.
    """

    def __init__(self, engine: Engine, put: Callable[[Work], None]) -> None:
        self._put = put
        self._clock = engine.database.clock
        self.host = ActionHost(engine.database, engine.calls, self._submit, put)
        self.host.on_call = lambda call, outcome: engine.on_call(call, outcome)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: dict[Future[Any], str] = {}
        self._ending = False

    async def run(self, call: Call) -> Outcome:
        """One action to its end, on the loop of whoever awaits it; cancelled with its caller."""
        if self._ending:
            stopped = Overloaded("The server is being stopped; try again in a moment.")
            return self._failed(call, stopped)
        try:
            return await asyncio.wrap_future(self.start(self.host.run(call), call.path))
        except BaseException as error:
            if _is_cancelled():
                self._failed(call, HeadwaterError(f"action {call.path}: its caller is gone"))
                raise
            if self._ending:
                why = f"action {call.path} was cancelled: the server is being stopped"
                return self._failed(call, HeadwaterError(why))
            name = type(error).__name__
            return self._failed(call, HeadwaterError(f"action {call.path} raised {name}"))

    def start(self, work: Coroutine[Any, Any, T], what: str) -> Future[T]:
        """Runs user code on this loop; to cancel the future cancels it.

        Args:
            work: the code.
            what: its name, for whoever stops the server.
        """
        loop = self._loop = self._loop or _running_loop()
        running = asyncio.run_coroutine_threadsafe(work, loop)
        self._running[running] = what
        running.add_done_callback(lambda done: self._running.pop(done, None))
        return running

    async def end(self, grace_s: float, tell: Callable[[str], None]) -> None:
        """Takes no more actions, gives the running ones a while to end, then cancels them.

        Args:
            grace_s: seconds they get.
            tell: prints a line for whoever stops the server.
        """
        self._ending = True
        if not self._running:
            return
        tell(f"waiting up to {grace_s:g} s for {_named(self._running)}")
        waiting = [asyncio.wrap_future(future) for future in list(self._running)]
        await asyncio.wait([asyncio.shield(one) for one in waiting], timeout=grace_s)
        if self._running:
            tell(f"cancelled: {_named(self._running)}")
        for future in list(self._running):
            future.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait(waiting, timeout=1.0)

    def _failed(self, call: Call, error: HeadwaterError) -> Outcome:
        outcome = Outcome(took_s=0.0)
        outcome.fail(failure_of(error), self._clock)
        self.host.on_call(call, outcome)
        return outcome

    def _submit(self, call: Call, reply: Reply) -> None:
        loop = asyncio.get_running_loop()

        def back(outcome: Outcome, ts: int) -> None:
            loop.call_soon_threadsafe(reply, outcome, ts)

        self._put(Execute(call, back))


def _running_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        while True:  # sys.exit() in a task, or loop.stop(): not the end of everybody's actions
            with suppress(BaseException):
                loop.run_forever()

    threading.Thread(target=serve, name="actions", daemon=True).start()
    return loop


def _named(running: dict[Future[Any], str]) -> str:
    """Some of them by name: `tasks:send, POST /hook and 3 more`."""
    names = list(running.values())
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _is_cancelled() -> bool:
    """True when whoever waits for the action is gone; an action may also cancel itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
