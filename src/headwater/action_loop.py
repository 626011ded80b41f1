"""The loop actions run on: a thread of its own, so that one that blocks holds up no client.

An action may await anything, so it needs a real event loop; but it is user code: on the loop of the
network one forgotten `time.sleep` would stop every socket. Here it delays other actions only.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from headwater.core.actions import ActionHost
from headwater.core.calls import Call, Outcome
from headwater.core.engine import Engine
from headwater.core.work import Execute

Reply = Callable[[Outcome, int], None]


class ActionLoop:
    """Runs actions on a thread that starts with the first of them.

    Args:
        engine: what the actions' queries and mutations run on.
        put: queues work for it.
    """

    def __init__(self, engine: Engine, put: Callable[[Execute], None]) -> None:
        self._put = put
        self._host = ActionHost(engine.database, engine.calls, self._submit)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="actions", daemon=True)

    async def run(self, call: Call) -> Outcome:
        """One action to its end, on the loop of whoever awaits it; cancelled with its caller."""
        if not self._thread.is_alive():
            self._thread.start()
        running = asyncio.run_coroutine_threadsafe(self._host.run(call), self._loop)
        return await asyncio.wrap_future(running)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _submit(self, call: Call, reply: Reply) -> None:
        def back(outcome: Outcome, ts: int) -> None:
            self._loop.call_soon_threadsafe(reply, outcome, ts)

        self._put(Execute(call, back))
