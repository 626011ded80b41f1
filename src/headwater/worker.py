"""A process that runs handlers for a host: `python -I -m headwater.worker`.

It holds no database, no clock and no identity of its own. It takes frames from its standard input,
gives frames on its standard output (remote.py says which), and lets the backend print to standard
error only. Whoever starts it decides what else it may do; see the workshop's jail.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from headwater import remote, worlds
from headwater.core import ids
from headwater.core.calls import Frame
from headwater.core.failures import failure_of
from headwater.core.logs import CallLog, install_log_handler
from headwater.core.registry import App
from headwater.host_pipe import HostGone, HostPipe
from headwater.loader import load
from headwater.remote import RemoteScan
from headwater.settings import GUARDED, Guards, Limits
from headwater.worker_actions import OpenActions, WorkerHandlers

_ONCE = Guards(outside=True)  # who compares worlds sees more than who runs twice in one


class Worker:
    """One loaded backend, run call by call; nested calls run inside the one that asked, actions
    beside the others.
    """

    def __init__(self, pipe: HostPipe, app: App, limits: Limits, guards: Guards = GUARDED) -> None:
        self._pipe, self._app, self._limits = pipe, app, limits
        self._placement = WorkerHandlers(app, limits, guards)
        self._actions = OpenActions(self._placement, pipe.send, self._handle_until, limits)
        self._tables: dict[int, str] = {}
        self._host_gone = False
        app.tables.table_of = self._table_of

    def serve(self) -> None:
        """Runs the host's calls until it goes."""
        while self._actions.loop is None:
            self._handle(self._pipe.receive())
        loop = self._actions.loop
        loop.add_reader(self._pipe.fileno(), self._on_readable)
        while not self._host_gone:
            with suppress(BaseException):  # sys.exit() in a task, or loop.stop()
                loop.run_forever()

    def _on_readable(self) -> None:
        try:
            self._handle(self._pipe.receive())
        except HostGone:
            self._host_gone = True
            asyncio.get_running_loop().stop()

    def _handle(self, message: dict[str, Any]) -> None:
        if "action" in message:
            self._note_tables(message)
            self._actions.take(message)
        elif "call" in message:
            self._run(message)

    def _handle_until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._handle(self._pipe.receive())

    def _note_tables(self, message: dict[str, Any]) -> None:
        if "tables" in message:
            self._tables = {number: name for name, number in message["tables"].items()}

    def _table_of(self, text: str) -> str | None:
        number = ids.table_of(text)
        return None if number is None else self._tables.get(number)

    def _run(self, message: dict[str, Any]) -> None:
        self._note_tables(message)
        number, log = message["call"], CallLog(self._limits)
        scans: dict[int, RemoteScan] = {}
        frame = self._frame(message, log)
        try:
            value = self._placement.run(frame, self._answerer(number, scans))
            end: dict[str, Any] = {"return": remote.value_out(value)}
        except HostGone:
            raise
        except BaseException as error:  # a handler's sys.exit() is an answer too
            end = {"raise": remote.failure_out(failure_of(error, self._app.root))}
        self._pipe.send({"call": number, **end, "used": _used(scans), "log": log.lines})

    def _frame(self, message: dict[str, Any], log: CallLog) -> Frame:
        return Frame(
            spec=self._app.functions[message["path"]].spec,
            arguments=remote.value_in(message["arguments"]),
            now_ms=message["now"],
            seed=int(message["seed"]),
            log=log,
            depth=int(message["nested"]),
        )

    def _answerer(self, number: int, scans: dict[int, RemoteScan]) -> Callable[[Any], Any]:
        def answer(request: Any) -> Any:
            ask = remote.request_out(request)
            self._pipe.send({"call": number, "ask": ask, "used": _used(scans)})
            while True:
                message = self._pipe.receive()
                if "answer" in message and "action" not in message:
                    return remote.answer_in(message["answer"], scans)
                self._handle(message)

        return answer


def _used(scans: dict[int, RemoteScan]) -> dict[str, int]:
    return {str(number): scan.used for number, scan in scans.items()}


def main() -> None:
    """Load the backend the host names, then serve it."""
    pipe = HostPipe()
    install_log_handler()
    try:
        message = pipe.receive()
        root, limits = Path(message["load"]), Limits(**message["limits"])
        os.environ.clear()
        os.environ.update(message["environment"])
        for name in message["preload"]:
            with suppress(Exception):  # whoever needs it says what is wrong with it
                import_module(name)
        if "world" in message:
            if (root / "backend" / "routes.py").is_file():
                import_module("pydantic.v1")  # asked for by FastAPI; no world's dates are its bases
            worlds.enter(message["world"])
        try:
            app = load(root, limits.load_limit_s)
        except Exception as error:
            pipe.send({"raise": remote.failure_out(failure_of(error, root))})
            return
        pipe.send({"manifest": app.manifest.to_json()})
        Worker(pipe, app, limits, _ONCE if "world" in message else GUARDED).serve()
    except HostGone:
        return


if __name__ == "__main__":
    main()
