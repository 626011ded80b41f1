"""The server process; its supervisor runs python -m headwater.process OPTIONS SOCKET BEATS."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import orjson
from rich.console import Console
from rich.text import Text

from headwater.codegen import FreshTypes
from headwater.core.registry import App
from headwater.environment import Environment
from headwater.errors import HeadwaterError, StorageBusy
from headwater.log_drain import drain_from_environment
from headwater.log_writer import JsonLines, Output, Terminal
from headwater.options import ServerOptions
from headwater.redaction import Redactor
from headwater.saves import Files, files_of, saves
from headwater.server import Server
from headwater.settings import STATE, Limits, limits_from_environment
from headwater.supervisor import AFTER_FAULT, STARTUP_FAILED, end_with_parent
from headwater.terminal import visible
from headwater.variables import addresses
from headwater.vite import Vite, uses_vite

_LOCK_TRIES_S = 5.0
_console = Console(stderr=True, highlight=False, soft_wrap=True)


def encode_options(options: ServerOptions) -> str:
    """The options as one command-line argument."""
    return orjson.dumps({**asdict(options), "root": str(options.root)}).decode()


def decode_options(text: str) -> ServerOptions:
    """The options from one command-line argument."""
    data = orjson.loads(text)
    return ServerOptions(**{**data, "root": Path(data["root"])})


def serve(
    options: ServerOptions,
    sockets: Sequence[socket.socket],
    beats: int | None = None,
    out: int = 1,
) -> int:
    """Loads the backend and serves it; gives the process's exit code.

    Args:
        options: how it is served.
        sockets: the bound sockets, of the API and of the site.
        beats: a pipe to the supervisor.
        out: where the log goes in production.
    """
    logging.getLogger("headwater").setLevel(logging.INFO)
    if options.dev:  # in production these are lines of the log
        for name in ("headwater", "uvicorn"):
            logging.getLogger(name).addHandler(logging.StreamHandler())
    try:
        limits, drain = limits_from_environment(), drain_from_environment()
        host, port = sockets[0].getsockname()[:2]
        built_in = addresses(host, port, sockets[-1].getsockname()[1])
        environment = Environment(options.root, dev=options.dev, built_in=built_in)
        loaded = files_of(environment, options.root / "backend") if options.dev else {}
        app = _first_load(options, limits, environment)
        server = _with_database(lambda: Server(options, app, limits, _tell_start, environment))
    except (HeadwaterError, ValueError) as error:
        text = error.message if isinstance(error, HeadwaterError) else str(error)
        _tell("Headwater cannot start:", "bold red", f" {text}")
        return STARTUP_FAILED
    server.logs.start(partial(_output, options, out), drain, limits)
    if options.dev:
        types = FreshTypes(options.root, _tell_types)
        if app.functions or app.tables.by_name:  # else it may be one that did not load
            types.put(app.manifest)
        _watch(server, types, loaded)
        server.vite = _vite(options.root / "frontend")
    try:
        server.run(sockets, lambda: _announce(server, *built_in.values()), beats)
    finally:
        server.logs.stop()
        if server.vite is not None:
            server.vite.end()
    return 0


def _output(options: ServerOptions, out: int, redact: Redactor) -> Output:
    if options.dev:
        return Terminal(_console, redact, every=options.verbose)
    return JsonLines(out, redact)


def _first_load(options: ServerOptions, limits: Limits, environment: Environment) -> App:
    try:
        return environment.load(limits.load_limit_s)
    except HeadwaterError as error:
        if not options.dev or not (options.root / "backend").is_dir():
            raise
        _report(error, live=False)
        return App(options.root)


def _with_database(make: Callable[[], Server]) -> Server:
    """The server, once a process that is just ending has let the database go."""
    deadline = time.monotonic() + _LOCK_TRIES_S
    while True:
        try:
            return make()
        except StorageBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _tell_start(text: str) -> None:
    _tell("starting", "yellow", f" {text}")


def _announce(server: Server, url: str, site_url: str) -> None:
    state = server.options.root / STATE / "server.json"
    written = state.with_suffix(".tmp")
    options = server.options
    about = {"url": url, "site_url": site_url, "pid": os.getppid()}
    about["dev"] = options.dev or options.dev_tokens
    written.write_bytes(orjson.dumps(about))
    written.replace(state)
    manifest = server.hub.engine.database.manifest
    what = "dev server" if server.options.dev else "server"
    _tell(f"Headwater {what}", "bold green", f" at {url} - {len(manifest.functions)} functions")
    _tell("HTTP routes", "bold green", f" at {site_url} - {len(manifest.routes)} routes")


def _watch(server: Server, types: FreshTypes, loaded: Files) -> None:
    """Reloads the backend whenever a file below `backend/` or a `.env` is saved.

    Args:
        loaded: the files as they were before the first load.
    """
    folder = server.options.root / "backend"

    def run() -> None:
        for _ in saves(folder, server.environment, loaded):
            server.reload(partial(_reloaded, server, types, time.monotonic()), _tell_waiting)

    threading.Thread(target=run, name="watch", daemon=True).start()


def _reloaded(server: Server, types: FreshTypes, began: float, error: BaseException | None) -> None:
    if error is not None:
        _report(error, live=bool(server.hub.engine.database.manifest.functions))
        return
    server.auth.providers_changed()
    manifest = server.hub.engine.database.manifest
    took = (time.monotonic() - began) * 1000
    _tell("reloaded", "green", f" {len(manifest.functions)} functions in {took:.0f} ms")
    types.put(manifest)


def _vite(frontend: Path) -> Vite | None:
    """The project's Vite, starting; None for a frontend that is not built by it."""
    if not uses_vite(frontend):
        return None
    vite = Vite(frontend, _tell_vite)
    lacking = vite.lacks()
    if lacking is None:
        vite.port()
    else:
        _tell("the frontend waits", "yellow", f" to be installed: {lacking}")
    return vite


def _tell_vite(text: str, trouble: bool) -> None:
    _tell("vite", "red" if trouble else "green", f" {text}")


def _tell_types(text: str, trouble: bool) -> None:
    _tell("types", "red" if trouble else "green", f" {text}")


def _tell_waiting(what: str) -> None:
    _tell("the new version waits", "yellow", f" for {what}; the last one serves meanwhile")


def _report(error: BaseException, *, live: bool) -> None:
    _tell("the backend does not load", "bold red", not_loaded(error, live=live))


def not_loaded(error: BaseException, *, live: bool) -> str:
    """What is said of a backend that does not load.

    Args:
        error: why not.
        live: an older version was loaded, and is served meanwhile.
    """
    text = (
        error.message if isinstance(error, HeadwaterError) else f"{type(error).__name__}: {error}"
    )
    meanwhile = "the last working version stays live" if live else "no function can be called yet"
    return f"; {meanwhile}\n{text}"


def _tell(head: str, style: str, rest: str) -> None:
    """Prints a line for whoever watches. Much of it is a client's: no markup, no control codes."""
    with suppress(OSError):  # nobody watches any more
        _console.print(Text.assemble((visible(head), style), visible(rest)))


def _log_output() -> int:
    """Standard output, kept for the log alone: what a backend prints while it loads goes to
    standard error, as everything that is not a line of the log.
    """
    out = os.dup(1)
    os.dup2(2, 1)
    return out


def main() -> None:
    """Serves until told to stop."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the supervisor, which ends us
    options = replace(decode_options(sys.argv[1]), after_fault=AFTER_FAULT in sys.argv[4:])
    sockets = [socket.socket(fileno=int(number)) for number in sys.argv[2].split(",")]
    beats = int(sys.argv[3])
    os.set_blocking(beats, False)
    code = 1
    try:
        code = serve(options, sockets, beats, 1 if options.dev else _log_output())
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)  # a thread that hangs in user code must not hold the process


if __name__ == "__main__":
    main()
