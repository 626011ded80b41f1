"""The server: the network in one thread, the engine on the main thread, a gate before both."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from headwater.admin_api import ADMIN_ROUTES, AdminApi, Reply
from headwater.auth import Auth
from headwater.changes import Changes
from headwater.clock import Clock
from headwater.core.database import Database
from headwater.core.engine import Engine
from headwater.core.failures import Disclosure
from headwater.core.logs import install_log_handler
from headwater.core.placement import InProcess
from headwater.core.registry import App
from headwater.core.storage.sqlite import SqliteStorage
from headwater.core.timelimit import HardLimit
from headwater.core.work import Reload
from headwater.data_api import DATA_ROUTES, DataApi
from headwater.deploy_api import DEPLOY_ROUTES, DeployApi
from headwater.environment import Environment
from headwater.files import Files
from headwater.files_http import FileRoutes
from headwater.gate import Gate
from headwater.http_api import HttpApi, refuse
from headwater.hub import Hub
from headwater.last_call import LastCall
from headwater.logs_api import LogsApi
from headwater.metrics import Metrics
from headwater.options import ServerOptions
from headwater.origin import origin_of
from headwater.pages import add_pages
from headwater.server_logs import ServerLogs
from headwater.settings import STATE, Limits, guards_from_environment
from headwater.site import PREFIX, Site
from headwater.sync_socket import Receive, Send, SyncSocket, client_version, unsupported
from headwater.tools_api import TOOLS_ROUTES, ToolsApi
from headwater.vite import Vite
from headwater.vite_proxy import ViteProxy

_log = logging.getLogger("headwater")
DATABASE = "data.sqlite3"
_ADMIN_ROUTES = (
    ADMIN_ROUTES | DATA_ROUTES | DEPLOY_ROUTES | TOOLS_ROUTES | {"/api/function"}
)  # no page of another origin may call these
_GC_THRESHOLDS = (10_000, 20, 50)  # Python's own make up half of a subscription's set-up
_PING_S = 20.0  # between WebSocket pings
_SWITCH_INTERVAL_S = 0.0005  # network latency while Python code runs: 0.7 ms instead of 10


def open_storage(state: Path) -> SqliteStorage:
    """The database of a project.

    Raises:
        StorageBusy: another process has it.
    """
    return SqliteStorage(state / DATABASE)


class Front:
    """The ASGI application: the gate, the sync socket, and FastAPI for everything else.

    Attributes:
        site_port: connections to this port are for the backend's HTTP routes.
        vite: takes the WebSockets that are no sync sockets; None where no Vite runs.
    """

    def __init__(self, hub: Hub, auth: Auth, limits: Limits, gate: Gate, http: FastAPI) -> None:
        self._hub, self._auth, self._limits = hub, auth, limits
        self._gate = gate
        self._http = http
        self._site = Site(hub, auth, limits, gate)
        self.site_port: int | None = None
        self.vite: ViteProxy | None = None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answers one connection."""
        if scope["type"] == "lifespan":
            await self._http(scope, receive, send)
            return
        site = self._site_scope(scope)
        if site is not None:
            await self._site(site, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        refusal = self._gate.refuses(headers)
        if refusal is not None:
            await refuse(scope, receive, send, 403, "Forbidden", refusal)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            origin = None if scope["path"] in _ADMIN_ROUTES else headers.get("origin")
            await self._answer_http(scope, receive, send, origin)

    def _site_scope(self, scope: Any) -> Any:
        """The scope of a request for an HTTP route; None for any other."""
        path, server = scope["path"], scope.get("server")
        if self.site_port is not None and server and server[1] == self.site_port:
            return scope
        if path != PREFIX and not path.startswith(f"{PREFIX}/"):
            return None
        return {**scope, "root_path": PREFIX, "path": path if path != PREFIX else f"{PREFIX}/"}

    async def _socket(self, scope: Any, receive: Receive, send: Send) -> None:
        found = client_version(scope["path"])
        if found is None and self.vite is not None:
            await self.vite(scope, receive, send)
        elif found is None:
            code, text = "InvalidVersion", "no sync socket here; it is at /api/<version>/sync"
            await refuse(scope, receive, send, 400, code, text)
        elif unsupported(found):
            code, text = "ClientVersionUnsupported", "this client is too old; update npm convex"
            await refuse(scope, receive, send, 400, code, text)
        else:
            await SyncSocket(self._hub, self._auth, self._limits, found).run(receive, send)

    async def _answer_http(
        self, scope: Any, receive: Receive, send: Send, origin: str | None
    ) -> None:
        cors = _cors_headers(origin, scope)

        async def send_with_cors(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *cors]
            await send(message)

        if scope["method"] == "OPTIONS" and origin is not None:
            await send_with_cors({"type": "http.response.start", "status": 200, "headers": []})
            await send_with_cors({"type": "http.response.body", "body": b""})
        else:
            await self._http(scope, receive, send_with_cors)


def _cors_headers(origin: str | None, scope: Any) -> list[tuple[bytes, bytes]]:
    if origin is None:
        return []
    wanted = dict(scope["headers"]).get(b"access-control-request-headers", b"*")
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", wanted),
        (b"access-control-max-age", b"86400"),
        (b"vary", b"origin"),
    ]


class Server:
    """One deployment, ready to run.

    Args:
        options: how it is started.
        app: the loaded backend.
        limits: its limits.
        tell: told what a start that takes long is doing.
        environment: what the backend was loaded in.

    Attributes:
        vite: the project's Vite, set before `run` where one is to run.
    """

    def __init__(
        self,
        options: ServerOptions,
        app: App,
        limits: Limits,
        tell: Callable[[str], None] = lambda _text: None,
        environment: Environment | None = None,
    ) -> None:
        install_log_handler()
        state = options.root / STATE
        state.mkdir(exist_ok=True)
        self.options = options
        self.vite: Vite | None = None
        self.limits = limits
        self.environment = environment or Environment(options.root, dev=options.dev)
        self.auth = Auth(
            state,
            Clock(),
            limits,
            lambda: self.hub.engine.database.manifest.providers,
            dev_tokens=options.dev or options.dev_tokens,
        )
        database = Database(open_storage(state), Clock(), limits)
        files = Files.of(state, os.environ.get("HEADWATER_FILES_URL"), Clock(), limits)
        self.files = database.files = files
        self._guards = guards_from_environment(options.dev)
        self.hub = Hub(Engine(database, InProcess(app, limits, self._guards), tell))
        self.hub.engine.disclosure = Disclosure(options.dev or options.show_errors)
        own_secrets = frozenset({self.auth.admin_key})
        self.changes = Changes(self.hub.engine)
        self.logs = ServerLogs(self.hub.recorder.records, self.environment, own_secrets)
        self._last_call = LastCall(state / "last_call")
        if options.after_fault:
            self.hub.engine.calls.refuse(*self._last_call.read())
        self._last_call.forget()
        self.hub.engine.resume()

    def asgi(self) -> Front:
        """The ASGI application."""
        http = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        HttpApi(self.hub, self.auth, self.limits, version("headwater")).add_routes(http)
        body_bytes = int(self.limits.message_bytes)
        AdminApi(self.auth, self.environment, self.reload, body_bytes).add_routes(http)
        root, state = self.options.root, self.options.root / STATE
        deploy = DeployApi(self.hub, self.auth, root, self.environment, self.reload, body_bytes)
        deploy.add_routes(http)
        DataApi(self.hub, self.auth, self.files, state).add_routes(http)
        ToolsApi(
            self.hub, self.auth, self.environment, self.changes, lambda: self.logs.ending
        ).add_routes(http)
        FileRoutes(self.hub, self.files, self.limits).add_routes(http)
        LogsApi(self.auth, self.logs, Metrics(self.hub, self.logs.drops)).add_routes(http)
        vite = ViteProxy(self.vite) if self.vite is not None else None
        add_pages(http, self.options.root, self.auth, dev=self.options.dev, vite=vite)
        gate = Gate.of(self.options.host, self.options.allow_hosts, self.options.allow_origins)
        front = Front(self.hub, self.auth, self.limits, gate, http)
        front.vite = vite
        return front

    def reload(self, reply: Reply, waits: Callable[[str], None]) -> None:
        """Loads the backend anew between two batches; both are told on the network's loop.

        Args:
            reply: why it was not, then the old one stays live; None when it serves.
            waits: what is made ready for it first.
        """

        def load_again() -> InProcess:
            app = self.environment.load(self.limits.load_limit_s)
            return InProcess(app, self.limits, self._guards)

        def done(error: BaseException | None) -> None:
            if error is None:
                self.changes.loaded()
            reply(error)

        self.hub.put(Reload(load_again, done, waits))

    def run(
        self,
        sockets: Sequence[socket.socket],
        started: Callable[[], None],
        beats: int | None = None,
    ) -> None:
        """Serves until SIGTERM. Called on the main thread, which becomes the engine's.

        Args:
            sockets: the bound sockets, of the API and of the site.
            started: called once requests are answered.
            beats: a pipe to the supervisor, written to every second.
        """
        self.files.origin = origin_of(sockets[0], self.options.allow_hosts)
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        gc.freeze()  # what is loaded by now stays; only what clients bring is looked through
        gc.set_threshold(*_GC_THRESHOLDS)
        network = _Network(self, sockets, started, beats)
        thread = threading.Thread(target=network.run, name="network", daemon=True)
        signal.signal(signal.SIGTERM, lambda *_: network.stop())
        thread.start()
        try:
            self.hub.run(HardLimit(self.limits.hard_limit_s), self._last_call)
        finally:
            network.stop()
            thread.join(timeout=5)
            self.files.blobs.close()
            self.hub.engine.database.storage.close()


class _Network:
    """uvicorn in a thread of its own."""

    def __init__(
        self,
        server: Server,
        sockets: Sequence[socket.socket],
        started: Callable[[], None],
        beats: int | None,
    ) -> None:
        self._server = server
        self._beats = beats
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._sockets = list(sockets)
        self._started = started
        dead_s = server.limits.dead_client_s
        ping_s = min(_PING_S, dead_s / 2)
        front = server.asgi()
        self._vite = front.vite
        front.site_port = self._sockets[-1].getsockname()[1] if len(self._sockets) > 1 else None
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                front,
                ws="websockets-sansio",
                ws_max_size=int(max(server.limits.frame_bytes, server.limits.message_bytes)),
                ws_per_message_deflate=False,  # 2 to 3.7 times the CPU of a message
                ws_ping_interval=ping_s,
                ws_ping_timeout=dead_s - ping_s,
                log_config=None,  # process.py says where its warnings go
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=math.ceil(server.limits.action_shutdown_s) + 1,
                server_header=False,
            )
        )

    def run(self) -> None:
        """Serves on this thread until `stop`."""
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._serve())
        finally:
            self._server.hub.stop()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server.hub.connect(self._loop)
        ending = asyncio.create_task(self._end_actions())
        serving = asyncio.create_task(self._uvicorn.serve(sockets=self._sockets))
        while not self._uvicorn.started and not serving.done():
            await asyncio.sleep(0.005)
        if self._uvicorn.started:
            self._started()
        beating = asyncio.create_task(self._beat())
        settling = asyncio.create_task(self._server.files.keep_settled(self._server.hub.transact))
        await serving
        if self._vite is not None:
            await self._vite.close()
        self._stopping.set()
        await ending
        beating.cancel()
        settling.cancel()

    async def _end_actions(self) -> None:
        """Waits for the end, then gives running actions a while, beside what uvicorn gives."""
        await self._stopping.wait()
        grace_s = self._server.limits.action_shutdown_s
        await self._server.hub.actions.end(grace_s, _log.warning)

    async def _beat(self) -> None:
        """Tells the supervisor every second that this process is alive."""
        while self._beats is not None:
            with suppress(BlockingIOError):  # nobody reads: then nobody watches either
                os.write(self._beats, b".")
            await asyncio.sleep(1)

    def stop(self) -> None:
        """Ends serving; connections are told, what the engine has taken is finished."""
        self._server.logs.ending = True
        self._uvicorn.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # closed: it has ended already
                self._loop.call_soon_threadsafe(self._stopping.set)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    with suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop
    return None
