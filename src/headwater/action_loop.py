"""The loop actions run on: a thread of its own, so that one that blocks holds up no client.

An action may await anything, so it needs a real event loop; but it is user code: on the loop of the
network one forgotten `time.sleep` would stop every socket. Here it delays other actions only.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from headwater.core.actions import ActionHost
from headwater.core.calls import Call, Outcome
from headwater.core.engine import Engine
from headwater.core.failures import failure_of
from headwater.core.work import Execute, Work
from headwater.errors import HeadwaterError

Reply = Callable[[Outcome, int], None]


class ActionLoop:
    """Runs actions on a thread that starts with the first of them.

    Args:
        engine: what the actions' queries and mutations run on.
        put: queues work for it.
    """

    def __init__(self, engine: Engine, put: Callable[[Work], None]) -> None:
        self._put = put
        self._host = ActionHost(engine.database, engine.calls, self._submit, put)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, call: Call) -> Outcome:
        """One action to its end, on the loop of whoever awaits it; cancelled with its caller."""
        loop = self._loop = self._loop or _running_loop()
        running = asyncio.run_coroutine_threadsafe(self._host.run(call), loop)
        try:
            return await asyncio.wrap_future(running)
        except BaseException as error:
            if _is_cancelled():
                raise
            name = type(error).__name__
            return Outcome(failure=failure_of(HeadwaterError(f"action {call.path} raised {name}")))

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


def _is_cancelled() -> bool:
    """True when whoever waits for the action is gone; an action may also cancel itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
